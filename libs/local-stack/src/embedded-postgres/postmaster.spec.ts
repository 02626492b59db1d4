import { once } from 'node:events';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityOf } from '../processes/process-identity.js';
import { adopt, signalServer, waitForEnd } from './postmaster.js';

jest.setTimeout(60_000);

describe('the signals of a server that was found', () => {
  let clusterDir: string;
  let child: ChildProcess;

  /** A program called `postgres` that works in the cluster's folder looks like its server. */
  async function run(program: string): Promise<number> {
    child = spawn(program, ['-c', 'echo ready; read line'], { cwd: clusterDir, stdio: ['pipe', 'pipe', 'ignore'] });
    if (child.stdout) await once(child.stdout, 'data');
    return child.pid ?? 0;
  }

  beforeEach(() => {
    clusterDir = realpathSync(mkdtempSync(join(tmpdir(), 'muster-signals-')));
    symlinkSync('/bin/sh', join(clusterDir, 'postgres'));
  });
  afterEach(() => {
    child.kill('SIGKILL');
    rmSync(clusterDir, { recursive: true, force: true });
  });

  it('reach the server', async () => {
    const pid = await run(join(clusterDir, 'postgres'));
    const server = adopt(clusterDir, pid, 5432);
    await signalServer(clusterDir, server, 'SIGTERM');
    expect(await waitForEnd(clusterDir, server, 30_000)).toBe(true);
    await expect(server.exited).resolves.toEqual({ code: null, signal: null });
  });

  it('never reach another program that has its pid by now', async () => {
    const pid = await run('/bin/sh');
    await signalServer(clusterDir, adopt(clusterDir, pid, 5432), 'SIGTERM');
    expect(await stillAnswers()).toBe(true);
  });

  it('never reach another server of the same cluster that has its pid by now', async () => {
    const pid = await run(join(clusterDir, 'postgres'));
    const present = identityOf(pid);
    const past = { ...adopt(clusterDir, pid, 5432), identity: { pid, ...present, startedAt: 'long ago' } };
    await signalServer(clusterDir, past, 'SIGTERM');
    expect(await waitForEnd(clusterDir, past, 30_000)).toBe(true);
    expect(await stillAnswers()).toBe(true);
  });

  /** It ends by itself, with 0, once it has read its line; a signal would have ended it before. */
  async function stillAnswers(): Promise<boolean> {
    const exited = once(child, 'exit');
    child.stdin?.end('line\n');
    return (await exited)[0] === 0;
  }
});
