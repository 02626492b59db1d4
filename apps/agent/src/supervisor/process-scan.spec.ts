import type { ProcessStat } from './process-identity.js';
import { scanProcesses, type ProcessTable } from './process-scan.js';

const marked = Buffer.from('PATH=/bin\0MUSTER_EXECUTION=exe-1\0');

/** A table in which somebody new is there in every round until `newcomers` is used up. */
class ATable implements ProcessTable {
  rounds = 0;
  readonly asked: number[] = [];

  constructor(
    private readonly newcomers: readonly number[],
    private readonly environments: (pid: number, asked: number) => Promise<Buffer | null>,
    private readonly stateOf: (pid: number) => string = () => 'S',
  ) {}

  async names(): Promise<readonly string[]> {
    return ['1', 'self'];
  }

  namesNow(): readonly string[] {
    this.rounds += 1;
    return ['1', 'self', ...this.newcomers.slice(0, this.rounds).map(String)];
  }

  stat(pid: number): ProcessStat {
    return { pid, state: this.stateOf(pid), parentPid: 1, groupId: pid, sessionId: pid, startTicks: pid, cpuTicks: 0 };
  }

  environment({ pid }: ProcessStat): Promise<Buffer | null> {
    this.asked.push(pid);
    return this.environments(pid, this.asked.filter((one) => one === pid).length);
  }
}

const cookies = async (table: ProcessTable): Promise<Record<number, string | null>> =>
  Object.fromEntries((await scanProcesses(table)).map((one) => [one.pid, one.cookie]));

describe('a look at every process', () => {
  it('meets everybody who was made while it looked, one after the other', async () => {
    const table = new ATable([30, 31, 32], async () => marked);
    expect(await cookies(table)).toEqual({ 1: 'exe-1', 30: 'exe-1', 31: 'exe-1', 32: 'exe-1' });
    expect(table.rounds).toBe(4);
  });

  it('asks a newcomer amid exec once more, and one that stays without an environment no further', async () => {
    const table = new ATable([30, 31], async (pid, asked) => (pid === 30 && asked === 2 ? marked : Buffer.alloc(0)));
    expect(await cookies(table)).toEqual({ 1: null, 30: 'exe-1', 31: null });
    expect(table.asked.sort((a, b) => a - b)).toEqual([1, 30, 30, 31, 31]);
    expect(table.rounds).toBe(4);
  });

  it("does not look again for somebody else's environment", async () => {
    const table = new ATable([30], async () => null);
    expect(await cookies(table)).toEqual({ 1: null, 30: null });
    expect([table.asked, table.rounds]).toEqual([[1, 30], 2]);
  });

  it('asks whoever waits for a device after everybody else', async () => {
    const table = new ATable(
      [30, 31],
      async () => marked,
      (pid) => (pid === 31 ? 'S' : 'D'),
    );
    expect(await cookies(table)).toEqual({ 1: 'exe-1', 30: 'exe-1', 31: 'exe-1' });
    expect(table.asked).toEqual([31, 1, 30]);
  });

  it('lets the agent go on while a newcomer keeps its memory to itself', async () => {
    let give: (environment: Buffer) => void = () => undefined;
    const scan = scanProcesses(
      new ATable([30], (pid) => (pid === 1 ? Promise.resolve(null) : new Promise((resolve) => (give = resolve)))),
    );
    await new Promise((resolve) => setImmediate(resolve));
    give(marked);
    expect((await scan).map((one) => one.cookie)).toEqual([null, 'exe-1']);
  });
});
