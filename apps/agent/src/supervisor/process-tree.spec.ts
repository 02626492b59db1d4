import { readStat } from './process-identity.js';
import { killGroup, membersOf, wholeGroups, type MarkedProcess } from './process-tree.js';

const COOKIE = 'exe-1';

/** `pid parent session cookie`; the group is the session unless it is told. */
function aProcess(
  pid: number,
  parentPid: number,
  sessionId: number,
  cookie: string | null,
  groupId = sessionId,
): MarkedProcess {
  return { pid, parentPid, sessionId, groupId, cookie, startTicks: pid, state: 'S', cpuTicks: 0 };
}
const agent = aProcess(10, 1, 10, null);
const supervisor = aProcess(20, 10, 20, null);
const pidsOf = (processes: readonly MarkedProcess[]): number[] => processes.map((one) => one.pid).sort((a, b) => a - b);

describe('the members of an execution', () => {
  it('are those with its cookie, those of its session and those below them', () => {
    const scan = [
      agent,
      supervisor,
      aProcess(30, 20, 30, COOKIE),
      aProcess(31, 1, 30, null),
      aProcess(32, 1, 32, COOKIE),
      aProcess(33, 32, 33, null),
      aProcess(40, 1, 40, 'exe-2'),
    ];
    expect(pidsOf(membersOf(scan, COOKIE, 30))).toEqual([30, 31, 32, 33]);
  });

  it('are also those in a session that one of them made, when they carry nothing and lost their parent', () => {
    const scan = [supervisor, aProcess(32, 1, 31, COOKIE), aProcess(33, 1, 31, null), aProcess(34, 33, 34, null)];
    expect(pidsOf(membersOf(scan, COOKIE, null))).toEqual([32, 33, 34]);
  });

  it('never are the supervisor, in whose session the job is for a moment, nor the agent', () => {
    const scan = [agent, supervisor, aProcess(30, 20, 20, COOKIE), aProcess(21, 20, 20, null)];
    expect(pidsOf(membersOf(scan, COOKIE, null))).toEqual([30]);
  });

  it('are nobody of the sessions that the machine began with', () => {
    const scan = [aProcess(30, 1, 0, COOKIE), aProcess(50, 0, 0, null)];
    expect(pidsOf(membersOf(scan, COOKIE, null))).toEqual([30]);
  });
});

describe('an agent that one of its own jobs has started', () => {
  const restarter = aProcess(40, 30, 30, COOKIE);
  const ownAgent = aProcess(41, 40, 41, COOKIE);
  const below = [aProcess(42, 41, 42, null), aProcess(43, 42, 43, 'exe-2'), aProcess(44, 41, 44, COOKIE)];

  it('is no member of that job, nor is who started it, nor are its supervisors and their jobs', () => {
    const scan = [supervisor, aProcess(30, 20, 30, COOKIE), aProcess(31, 30, 30, null), restarter, ownAgent, ...below];
    expect(pidsOf(membersOf(scan, COOKIE, 30, 41))).toEqual([30, 31]);
  });

  it('outlives it also as an orphan in its very session, whose group is not killed whole then', () => {
    const orphan = aProcess(41, 1, 30, COOKIE);
    const scan = [supervisor, aProcess(32, 1, 30, COOKIE), orphan, ...below];
    const members = membersOf(scan, COOKIE, 30, 41);
    expect(pidsOf(members)).toEqual([32]);
    expect(wholeGroups(scan, members)).toEqual([]);
  });

  it('still ends the jobs that it started itself', () => {
    expect(pidsOf(membersOf([restarter, ownAgent, ...below], 'exe-2', 43, 41))).toEqual([43]);
  });
});

describe('the groups that are killed whole', () => {
  it('hold nobody but members, and carry the age by which a reused number is known', () => {
    const members = [aProcess(30, 20, 20, COOKIE), aProcess(33, 1, 31, COOKIE), aProcess(35, 1, 31, null)];
    expect(wholeGroups([supervisor, ...members], members)).toEqual([{ groupId: 31, oldestTicks: 33 }]);
  });
});

describe('a killed group', () => {
  it('is left alone when a younger process has its number by now', () => {
    const killed = jest.spyOn(process, 'kill').mockImplementation(() => true);
    try {
      killGroup({ groupId: process.pid, oldestTicks: 1 });
      expect(killed).not.toHaveBeenCalled();
    } finally {
      killed.mockRestore();
    }
  });

  it('is never the one that the agent is in', () => {
    const groupId = readStat(process.pid)?.groupId ?? 0;
    const killed = jest.spyOn(process, 'kill').mockImplementation(() => true);
    try {
      killGroup({ groupId, oldestTicks: Number.MAX_SAFE_INTEGER });
      expect(killed).not.toHaveBeenCalled();
    } finally {
      killed.mockRestore();
    }
  });
});
