import { spawn } from 'node:child_process';
import { AttemptDirectory } from '../supervisor/attempt-directory.js';
import { readStat, type ProcessStat } from '../supervisor/process-identity.js';
import { SharedScan, type MarkedProcess } from '../supervisor/process-tree.js';
import type { ContainedTree } from './containment.js';
import { GroupContainment } from './group.containment.js';

/** Finds what it is told to. */
class ToldScan extends SharedScan {
  found: MarkedProcess[] = [];

  override fresh(): Promise<MarkedProcess[]> {
    return Promise.resolve(this.found);
  }
}

/** A process that was there and is not any more, whose number is free. */
async function aDeadLeader(): Promise<ProcessStat> {
  const child = spawn('/bin/sleep', ['60'], { detached: true, stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  try {
    const leader = readStat(child.pid ?? 0);
    if (!leader) throw new Error('The process is not there.');
    return leader;
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}

describe('a tree that is known by the number of its session', () => {
  let scan: ToldScan;
  let leader: ProcessStat;
  let tree: ContainedTree;
  let inSession: MarkedProcess;
  beforeEach(async () => {
    scan = new ToldScan();
    leader = await aDeadLeader();
    const directory = new AttemptDirectory('/dev/null/exe-1');
    tree = new GroupContainment(scan).tree({ directory, cgroupPath: null, startedHere: true, leader: () => leader });
    const pid = 2 ** 30;
    inSession = { ...leader, pid, sessionId: leader.pid, groupId: leader.pid, parentPid: 1, state: 'S', cookie: null };
  });

  it('holds who is left in the session from look to look, though its leader is gone', async () => {
    scan.found = [inSession];
    expect([await tree.look(), await tree.look()]).toEqual(Array(2).fill({ isEmpty: false, processes: 1 }));
  });

  it('never holds anybody in that session again once a look found nobody there', async () => {
    expect(await tree.look()).toEqual({ isEmpty: true, processes: 0 });
    scan.found = [inSession];
    expect(await tree.look()).toEqual({ isEmpty: true, processes: 0 });
  });

  it('never holds what a stranger with that number leaves', async () => {
    const { startTicks } = leader;
    leader = readStat(process.pid) ?? leader;
    leader = { ...leader, startTicks: startTicks - 1 };
    await tree.look();
    leader = { ...leader, pid: inSession.sessionId, startTicks };
    scan.found = [inSession];
    expect(await tree.look()).toEqual({ isEmpty: true, processes: 0 });
  });

  it('loses nobody but members when the agent is in its group', async () => {
    scan.found = [inSession, { ...inSession, pid: process.pid }];
    const killed = jest.spyOn(process, 'kill').mockImplementation(() => true);
    try {
      await tree.killAll();
      expect(killed).not.toHaveBeenCalled();
    } finally {
      killed.mockRestore();
    }
  });
});
