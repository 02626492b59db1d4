import { spawn } from 'node:child_process';
import { isAlive, parseStat, readStat, signalIdentity } from './process-identity.js';

describe('a line of /proc/PID/stat', () => {
  it('is read behind the last bracket, whatever the name holds', () => {
    const fields = ['S', 1, 42, 42, 0, -1, 0, 0, 0, 0, 0, 7, 3, 2, 1, 20, 0, 1, 0, 123_456, 0];
    const stat = parseStat(`42 (a) b (c ) ${fields.join(' ')}\n`);

    expect(stat).toEqual({
      pid: 42,
      state: 'S',
      parentPid: 1,
      groupId: 42,
      sessionId: 42,
      startTicks: 123_456,
      cpuTicks: 13,
    });
  });

  it('is nothing when it is cut off', () => {
    expect(parseStat('42 (x) S 1 42')).toBeNull();
    expect(parseStat('')).toBeNull();
  });
});

describe('a process identity', () => {
  it('is alive while this very process is, and signals nobody else', async () => {
    const child = spawn('/bin/sleep', ['60']);
    const stat = readStat(child.pid ?? 0);
    if (!stat) throw new Error('The child is not there.');
    const stranger = { pid: stat.pid, startTicks: stat.startTicks - 1 };

    expect([isAlive(stat), isAlive(stranger)]).toEqual([true, false]);
    expect(signalIdentity(stranger, 'SIGKILL')).toBe(false);
    expect(isAlive(stat)).toBe(true);
    expect(signalIdentity(stat, 'SIGKILL')).toBe(true);
    await new Promise((resolve) => child.once('exit', resolve));
    expect([isAlive(stat), signalIdentity(stat, 'SIGKILL')]).toEqual([false, false]);
  });

  it('of the agent itself is signalled neither alone nor as the leader of its group', () => {
    const agent = readStat(process.pid);
    if (!agent) throw new Error('This process is not there.');
    const killed = jest.spyOn(process, 'kill').mockImplementation(() => true);
    try {
      expect([signalIdentity(agent, 'SIGTERM'), signalIdentity(agent, 'SIGTERM', true)]).toEqual([false, false]);
      expect(killed).not.toHaveBeenCalled();
    } finally {
      killed.mockRestore();
    }
  });
});
