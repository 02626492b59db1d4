import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CannotWork } from '../exit-codes.js';
import { isAlive, readBootId, readStat } from '../supervisor/process-identity.js';

const FILE_NAME = 'agent.lock';

interface Holder {
  readonly pid: number;
  readonly bootId: string;
  /** Null where the system does not tell start times; then the pid alone decides. */
  readonly startTicks: number | null;
}

/**
 * Holds a state directory for one agent. The holder is known by boot, pid and start time, so a lock that a killed agent
 * left behind, or whose pid another program has by now, stops nobody.
 */
export class StateLock {
  private constructor(
    private readonly path: string,
    private readonly text: string,
  ) {}

  /** @throws CannotWork when another agent that is alive holds the directory */
  static async take(directory: string): Promise<StateLock> {
    const path = join(directory, FILE_NAME);
    const own: Holder = {
      pid: process.pid,
      bootId: readBootId(),
      startTicks: readStat(process.pid)?.startTicks ?? null,
    };
    const nonce = randomUUID();
    const text = JSON.stringify({ ...own, nonce });
    const draft = `${path}.${nonce}`;
    await writeFile(draft, text, { mode: 0o600 });
    try {
      // Linking is the one step that only one of several starters can win.
      for (let tries = 0; tries < 20; tries += 1) {
        if (await isDone(link(draft, path), 'EEXIST')) return new StateLock(path, text);
        await setAsideIfAbandoned(path, directory);
      }
      throw new CannotWork(`The lock ${path} keeps changing hands: too many agents are being started on it.`);
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Frees the directory. May be called twice; a lock that is not ours any more stays. */
  async release(): Promise<void> {
    const text = await readFile(this.path, 'utf8').catch(() => null);
    if (text === this.text) await rm(this.path, { force: true });
  }
}

/** Makes way for the next try when the holder is gone. @throws CannotWork when it is not */
async function setAsideIfAbandoned(path: string, directory: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return;
  const holder = parseHolder(text);
  if (holder && isHeld(holder)) {
    throw new CannotWork(
      `Another agent (process ${holder.pid}) is running on ${directory}. Stop it, or give this one its own MUSTER_AGENT_STATE_DIR.`,
    );
  }
  // What is moved away may by now be the lock of somebody faster: then it is put back.
  const aside = `${path}.${randomUUID()}`;
  if (!(await isDone(rename(path, aside), 'ENOENT'))) return;
  const moved = await readFile(aside, 'utf8').catch(() => text);
  if (moved !== text) await isDone(link(aside, path), 'EEXIST');
  await rm(aside, { force: true });
}

function isHeld(holder: Holder): boolean {
  if (holder.bootId !== readBootId()) return false;
  if (holder.startTicks !== null) return isAlive({ pid: holder.pid, startTicks: holder.startTicks });
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/** A lock that cannot be read was cut short by a power cut: nobody holds it. */
function parseHolder(text: string): Holder | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('bootId' in value)) return null;
    const startTicks = 'startTicks' in value && typeof value.startTicks === 'number' ? value.startTicks : null;
    return { pid: Number(value.pid), bootId: String(value.bootId), startTicks };
  } catch {
    return null;
  }
}

/** False when the step failed with this code; any other failure is thrown. */
async function isDone(step: Promise<void>, code: string): Promise<boolean> {
  try {
    await step;
    return true;
  } catch (error) {
    if (codeOf(error) === code) return false;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
