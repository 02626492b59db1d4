import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentDoctorView } from '@muster/protocol';
import { HEADER, fakeGpuTool } from './fake-gpu-tool.js';

/** The agent as it is shipped; made by the global set-up. */
const PROGRAM = join(import.meta.dirname, '..', '..', 'dist', 'test', 'agent.mjs');

interface Said {
  readonly code: number | null;
  readonly view: AgentDoctorView;
}

function ask(folder: string, environment: Readonly<Record<string, string | undefined>>): Promise<Said> {
  return new Promise((resolve, reject) => {
    const env = { ...environment, HOME: folder, TMPDIR: join(folder, 'scratch') };
    const child = spawn(process.execPath, [PROGRAM, 'doctor'], {
      env,
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => (output += piece));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, view: JSON.parse(output) as AgentDoctorView }));
  });
}

describe('the word doctor', () => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-doctor-spec-'));
  mkdirSync(join(folder, 'scratch'));
  const fake = fakeGpuTool();
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    fake.remove();
  });
  const resultOf = ({ view }: Said, name: string) => view.checks.find((check) => check.name === name);

  it('has the program say what an agent would find here, and start none', async () => {
    const stateDir = join(folder, 'state');
    fake.prints(
      `${HEADER}\n0, GPU-1, 550.54.15, 81559, 1, 0, 30, 60.1, NVIDIA H100\n1, GPU-2, 550.54.15, [N/A], 1, ERR!, 30, 60, NVIDIA H100\n`,
    );
    const said = await ask(folder, {
      ...fake.environment,
      MUSTER_AGENT_KEY: `wak_${'0'.repeat(40)}`,
      MUSTER_URL: 'http://127.0.0.1:1',
      MUSTER_AGENT_STATE_DIR: stateDir,
    });
    expect(said.code).toBe(0);
    expect(said.view).toMatchObject({ url: 'http://127.0.0.1:1', stateDir });
    for (const name of ['stateDirectory', 'disk', 'runtime', 'slots'])
      expect([name, resultOf(said, name)?.result]).toEqual([name, 'ok']);
    expect(resultOf(said, 'gpuTool')).toMatchObject({
      result: 'ok',
      detail: 'nvidia-smi finds 2: NVIDIA H100, driver 550.54.15.',
    });
    expect(resultOf(said, 'containment')?.detail).toContain('group');
    expect(existsSync(stateDir)).toBe(false);
    expect(readdirSync(join(folder, 'scratch'))).toEqual([]);
  }, 90_000);

  it('is the only one: any other starts no agent, and says so', () => {
    const state = join(folder, 'unwanted');
    const env = { HOME: folder, MUSTER_AGENT_KEY: `wak_${'0'.repeat(40)}`, MUSTER_AGENT_STATE_DIR: state };
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, 'docter'], { env, encoding: 'utf8' });
    expect([status, stderr]).toEqual([78, expect.stringContaining('unknown word "docter"')]);
    expect(existsSync(state)).toBe(false);
  }, 60_000);

  it('looks at a machine that has no key yet, and says that it has none', async () => {
    const said = await ask(folder, { PATH: '/usr/bin:/bin', MUSTER_AGENT_STATE_DIR: join(folder, 'other') });
    expect(said.code).toBe(0);
    expect(resultOf(said, 'settings')).toMatchObject({
      result: 'failed',
      detail: expect.stringContaining('MUSTER_AGENT_KEY'),
    });
    expect(resultOf(said, 'disk')?.result).toBe('ok');
  }, 90_000);
});
