import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { identityOf, isAlive, isStillAlive, programNameOf } from './process-identity.js';

describe('the identity of a process', () => {
  it('stays the same while the process lives and ends with it', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    const identity = identityOf(child.pid ?? 0);
    if (!identity) throw new Error('A living process has no identity.');
    expect(isStillAlive(identity)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isStillAlive(identity)).toBe(false);
    expect(identityOf(identity.pid)).toBeUndefined();
  });

  it('is not that of a later process with the same pid, nor of one before the last boot', () => {
    const own = identityOf(process.pid);
    expect(own?.startedAt).toBeDefined();
    expect(isStillAlive({ ...own, pid: process.pid, startedAt: 'before' })).toBe(false);
    const isBootTold = own?.bootId !== undefined;
    expect(isStillAlive({ ...own, pid: process.pid, bootId: 'before' })).toBe(!isBootTold);
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 31 - 1])('does not exist for pid %d', (pid) => {
    expect(isAlive(pid)).toBe(false);
  });

  it('exists for a process of another user', () => {
    expect(isAlive(1)).toBe(true);
  });

  it('knows the program’s name', () => {
    expect(programNameOf(process.pid)).toEqual(expect.any(String));
  });
});
