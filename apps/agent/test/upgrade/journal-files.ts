/** State directories as versions of the agent left them, kept as text that means the same on any machine. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBootId } from '../../src/supervisor/process-identity.js';
import { AGENT_VERSION } from '../../src/version.js';

const JOURNALS = join(import.meta.dirname, 'journals');
/** What is another text on each machine, and what stands for it. */
const STATE_DIR = '{{stateDir}}';
const BOOT_ID = '{{bootId}}';
/** Of the machine alone, or of processes that are gone: no later agent reads it. */
const LEFT_OUT = /^(?:agent\.lock|supervisors\.log|warden\..*|cgroup-folders|ready|spare|work)$/;

/** Versions whose state directories are kept, and the present one, whose must be. */
export function recordedVersions(): readonly string[] {
  const recorded = existsSync(JOURNALS) ? readdirSync(JOURNALS) : [];
  return [...new Set([...recorded, AGENT_VERSION])].sort();
}

/** Keeps a state directory as that of this version. */
export function record(version: string, stateDir: string): void {
  const folder = join(JOURNALS, version);
  rmSync(folder, { recursive: true, force: true });
  cpSync(stateDir, folder, { recursive: true, filter: (path) => !LEFT_OUT.test(path.split('/').at(-1) ?? '') });
  rewrite(folder, (text) => text.replaceAll(stateDir, STATE_DIR).replaceAll(readBootId(), BOOT_ID));
}

/** Makes a state directory of what this version left, as if it had done so on this machine and since its last start. */
export function replay(version: string, stateDir: string): void {
  cpSync(join(JOURNALS, version), stateDir, { recursive: true });
  rewrite(stateDir, (text) => text.replaceAll(STATE_DIR, stateDir).replaceAll(BOOT_ID, readBootId()));
  // Version control keeps no empty folders.
  for (const name of readdirSync(join(stateDir, 'attempts')))
    mkdirSync(join(stateDir, 'attempts', name, 'work'), { recursive: true });
}

function rewrite(folder: string, change: (text: string) => string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) rewrite(path, change);
    else writeFileSync(path, change(readFileSync(path, 'latin1')), 'latin1');
  }
}
