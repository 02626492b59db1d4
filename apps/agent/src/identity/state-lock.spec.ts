import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readBootId, readStat } from '../supervisor/process-identity.js';
import { Identity } from './identity.js';
import { openStateDirectory } from './state-directory.js';
import { StateLock } from './state-lock.js';

describe('a state directory', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await openStateDirectory(join(await mkdtemp(join(tmpdir(), 'muster-state-')), 'agent'));
  });
  afterEach(() => rm(join(directory, '..'), { recursive: true, force: true }));

  const leave = (holder: object | string): Promise<void> =>
    writeFile(join(directory, 'agent.lock'), typeof holder === 'string' ? holder : JSON.stringify(holder));

  it('is for its owner only, also when it was open before', async () => {
    await chmod(directory, 0o755);
    await openStateDirectory(directory);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  });

  it('is held by one agent at a time and free after its release', async () => {
    const first = await StateLock.take(directory);
    await expect(StateLock.take(directory)).rejects.toThrow(
      `Another agent (process ${process.pid}) is running on ${directory}`,
    );
    await first.release();
    await first.release();
    await (await StateLock.take(directory)).release();
    expect(await readdir(directory)).toEqual([]);
  });

  it.each([
    ['a process that is gone', { pid: 2 ** 22 + 1, bootId: readBootId(), startTicks: 1 }],
    ['another process with the same pid', { pid: process.pid, bootId: readBootId(), startTicks: 1 }],
    ['an earlier boot', { pid: process.pid, bootId: 'earlier', startTicks: readStat(process.pid)?.startTicks }],
    ['a torn write', '{"pid":'],
  ])('is not held by %s', async (_, holder) => {
    await leave(holder);
    await (await StateLock.take(directory)).release();
  });

  it('is held by a living process of somebody else', async () => {
    const other = spawn('sleep', ['60']);
    try {
      await leave({ pid: other.pid, bootId: readBootId(), startTicks: readStat(other.pid ?? 0)?.startTicks });
      await expect(StateLock.take(directory)).rejects.toThrow(`process ${other.pid}`);
    } finally {
      other.kill('SIGKILL');
    }
  });

  it('goes to one of many that find an abandoned lock at once', async () => {
    for (let round = 0; round < 20; round += 1) {
      await leave({ pid: 2 ** 22 + 1, bootId: readBootId(), startTicks: 1 });
      const taken = await Promise.allSettled(Array.from({ length: 2 }, () => StateLock.take(directory)));
      const winners = taken.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      expect(winners).toHaveLength(1);
      await winners[0]?.release();
    }
  });

  it('keeps machine and worker across starts, and counts them', async () => {
    const first = await Identity.open(directory);
    await first.keepWorkerId('wkr_00000000000000000000000001');
    const second = await Identity.open(directory);
    expect(second.machineId).toBe(first.machineId);
    expect(second.workerId).toBe('wkr_00000000000000000000000001');
    expect(first.instanceId.startsWith('0000000001-')).toBe(true);
    expect(second.instanceId.startsWith('0000000002-')).toBe(true);
  });

  it('takes no worker id that is none, and makes a new identity of an unreadable one', async () => {
    const first = await Identity.open(directory);
    await first.keepWorkerId('../../etc/passwd');
    expect(first.workerId).toBeNull();
    await writeFile(join(directory, 'identity.json'), 'nonsense');
    const second = await Identity.open(directory);
    expect(second.machineId).not.toBe(first.machineId);
    expect(JSON.parse(await readFile(join(directory, 'identity.json'), 'utf8'))).toMatchObject({
      workerId: null,
      startCount: 1,
    });
  });
});
