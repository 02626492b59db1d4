import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainmentRung } from '@muster/protocol';
import type { ExecutionId } from '../../src/execution/execution-types.js';
import { canContain, machineHas } from './machine.js';
import { eventually, FIXTURES, ManagerHarness, pidsOf } from './manager-harness.js';

jest.setTimeout(120_000);

const script = (name: string, ...args: string[]): { command: string[] } => ({
  command: ['/bin/sh', join(FIXTURES, name), ...args],
});
const cancel = (graceSeconds = 10): { kind: 'stop'; graceSeconds: number; reason: 'cancelled' } => ({
  kind: 'stop',
  graceSeconds,
  reason: 'cancelled',
});
const force = { kind: 'forceStop', graceSeconds: 0, reason: 'cancelled' } as const;

describe('stopping a job', () => {
  let harness: ManagerHarness;
  beforeAll(async () => {
    harness = await ManagerHarness.open({ slots: 4 });
  });
  afterAll(() => harness.destroy());

  const begun = async (spec: Parameters<typeof harness.begin>[0]): Promise<ExecutionId> => {
    const executionId = await harness.begin(spec);
    await harness.printed(executionId, 'ready');
    return executionId;
  };

  it('lets it clean up and reports it as cancelled with the exit it chose', async () => {
    const executionId = await begun({ run: script('ends-on-sigterm.sh') });
    await harness.manager.stop(executionId, cancel());

    expect(await harness.end(executionId)).toMatchObject({
      outcome: 'cancelled',
      exit: { code: 7, signal: null },
      leftovers: 0,
    });
    expect(harness.log(executionId)).toMatch(/^ready\n[^]*goodbye\n$/);
    expect(harness.manager.view(executionId).stopping).toBe('cancelled');
  });

  it('kills what ignores the stop signal once its grace is over', async () => {
    const executionId = await begun({ run: script('ignores-sigterm.sh') });
    await harness.manager.stop(executionId, cancel(3));

    const end = await harness.end(executionId);
    expect(end.outcome).toBe('cancelled');
    expect(end.exit?.signal).toBe('SIGKILL');
    expect(harness.log(executionId)).toMatch('heard');
  });

  it('never begins the grace anew for a second stop, and force ends it at once', async () => {
    const executionId = await begun({ run: script('ignores-sigterm.sh') });
    await harness.manager.stop(executionId, cancel(1));
    await harness.manager.stop(executionId, cancel(600));
    // For which nobody here would wait.
    expect((await harness.end(executionId)).outcome).toBe('cancelled');

    const forced = await begun({ run: script('ignores-sigterm.sh') });
    await harness.manager.stop(forced, cancel(600));
    await harness.manager.stop(forced, force);
    expect((await harness.end(forced)).exit?.signal).toBe('SIGKILL');
  });

  it('sends the signal the job asked for', async () => {
    const executionId = await begun({
      run: { shell: 'trap "echo two; exit 0" USR2; echo ready; while :; do sleep 0.05; done' },
      stopSignal: 'SIGUSR2',
    });
    await harness.manager.stop(executionId, cancel());

    expect((await harness.end(executionId)).exit).toEqual({ code: 0, signal: null });
    expect(harness.log(executionId)).toMatch('two');
  });

  it('reports why it was stopped in the words of the one who asked', async () => {
    for (const reason of ['superseded', 'stopped'] as const) {
      const executionId = await begun({ run: { shell: 'echo ready; exec sleep 60' } });
      await harness.manager.stop(executionId, { kind: 'stop', graceSeconds: 5, reason });
      expect((await harness.end(executionId)).outcome).toBe(reason);
    }
  });

  it('never starts what was stopped before its start', async () => {
    const executionId = await harness.accept({ run: { shell: 'echo ran' } });
    await harness.manager.stop(executionId, cancel());
    await harness.manager.start(executionId);

    expect(await harness.end(executionId)).toMatchObject({ outcome: 'cancelled', exit: null, ranMs: null });
    expect(harness.log(executionId)).toBe('');
  });

  it('is safe at every moment between start and first output', async () => {
    for (let round = 0; round < 40; round++) {
      const executionId = await harness.accept({ run: { shell: 'exec sleep 600' } });
      const starting = harness.manager.start(executionId);
      for (let turn = 0; turn < round; turn++) await Promise.resolve();
      if (round % 4 === 0) await starting;
      await harness.manager.stop(executionId, round % 2 === 0 ? force : cancel());
      await starting;
      expect(await harness.end(executionId)).toMatchObject({ outcome: 'cancelled' });
    }
  });

  it('takes an end that came before the stop for what it was', async () => {
    const executionId = await harness.begin({ run: { shell: 'exit 4' } });
    const { directory } = harness.manager.paths(executionId);
    await eventually('the status is on disk', () =>
      readFileSync(join(directory, 'status'), 'latin1').includes('x 4 ') ? true : null,
    );
    await new Promise((resolve) => setTimeout(resolve, 30));
    await harness.manager.stop(executionId, cancel());

    expect(await harness.end(executionId)).toMatchObject({ outcome: 'failed', exit: { code: 4, signal: null } });
  });

  it('ends a job at its run limit and says which limit', async () => {
    const { end } = await harness.run({ run: { shell: 'exec sleep 60' }, limits: { runSeconds: 1 } });
    expect(end).toMatchObject({ outcome: 'timedOut', detail: 'It ran longer than its limit of 1 s.' });
  });

  it('does not count the time a job stood still', async () => {
    const executionId = await begun({ run: { shell: 'echo ready; sleep 0.3' }, limits: { runSeconds: 3 } });
    await harness.manager.freeze(executionId);
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    await harness.manager.thaw(executionId);

    const end = await harness.end(executionId);
    expect(end.outcome).toBe('succeeded');
    expect(end.ranMs).toBeGreaterThan(3_000);
  });

  it('ends a job that printed nothing for too long, and leaves one that prints alone', async () => {
    const silent = harness.run({ run: { shell: 'exec sleep 60' }, limits: { silenceSeconds: 2 } });
    const talking = harness.run({
      run: { shell: 'for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.5; done' },
      limits: { silenceSeconds: 3 },
    });

    expect((await silent).end).toMatchObject({
      outcome: 'timedOut',
      detail: 'It printed nothing for 2 s, its limit of silence.',
    });
    expect((await talking).end.outcome).toBe('succeeded');
  });

  it('kills a tree that together uses more memory than its limit', async () => {
    const eat = 'const held = []; setInterval(() => held.push(Buffer.alloc(4 << 20, 1)), 10)';
    const { end } = await harness.run({
      run: { command: ['/bin/sh', '-c', '"$0" -e "$1" & "$0" -e "$1"; wait', process.execPath, eat] },
      limits: { memoryMb: 256 },
    });
    expect(end.outcome).toBe('outOfMemory');
    expect(end.detail).toMatch(/its limit is 256 MiB \(sampled\)|memory limit/);
    expect(end.usage.memoryBytesPeak).toBeGreaterThan(200 << 20);
  });
});

describe.each(['cgroup', 'namespace', 'group'] as ContainmentRung[])('containment by %s', (rung) => {
  const itHere = machineHas(`containment "${rung}"`, canContain(rung)) ? it : it.skip;
  let machine: ManagerHarness;
  beforeEach(async () => {
    machine = await ManagerHarness.open({ containment: rung });
  });
  afterEach(() => machine.destroy());

  itHere('leaves none of a tree that forks, double-forks and starts sessions', async () => {
    const mark = `tree-${rung}-${process.pid}-${Date.now()}`;
    const executionId = await machine.begin({ run: script('grows-a-tree.sh', mark) });
    await machine.printed(executionId, 'ready');
    expect((await pidsOf(mark)).length).toBeGreaterThanOrEqual(7);
    await machine.manager.stop(executionId, cancel(0.2));
    const end = await machine.end(executionId);

    const survivors = await pidsOf(mark);
    for (const pid of survivors) process.kill(pid, 'SIGKILL');
    expect(end).toMatchObject({ outcome: 'cancelled', containment: rung });
    // The known residue of the weakest rung: own session, no parent, no environment.
    expect(survivors.length).toBe(rung === 'group' ? 1 : 0);
  });

  itHere("ends what a job leaves behind, counts it, and keeps the job's own exit", async () => {
    const mark = `left-${rung}-${process.pid}-${Date.now()}`;
    const idle = 'sh -c "while :; do sleep 1; done" "$0"';
    const { end } = await machine.run({
      run: { command: ['/bin/sh', '-c', `${idle} & setsid ${idle} & sleep 0.2; exit 5`, mark] },
    });

    expect(end).toMatchObject({ outcome: 'failed', exit: { code: 5, signal: null } });
    // A namespace dies with its first process, before anybody can count.
    expect(end.leftovers).toBeGreaterThanOrEqual(rung === 'namespace' ? 0 : 2);
    expect(await pidsOf(mark)).toEqual([]);
  });

  itHere('stops the whole tree and lets it go on', async () => {
    const count = 'i=0; while [ $i -lt 12 ]; do i=$((i + 1)); echo "$0 $i"; sleep 0.1; done';
    const executionId = await machine.begin({
      run: { command: ['/bin/sh', '-c', `setsid sh -c '${count}' away & sh -c '${count}' home; wait`] },
    });
    await machine.printed(executionId, 'home 2');
    await machine.manager.freeze(executionId);
    expect(machine.manager.view(executionId).phase).toBe('paused');
    const atRest = machine.log(executionId);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(machine.log(executionId)).toBe(atRest);

    await machine.manager.thaw(executionId);
    expect(await machine.end(executionId)).toMatchObject({ outcome: 'succeeded' });
    const log = machine.log(executionId);
    expect([log.match(/home/g)?.length, log.match(/away/g)?.length]).toEqual([12, 12]);
  });

  itHere('continues a paused job so that it hears its stop signal', async () => {
    const executionId = await machine.begin({ run: script('ends-on-sigterm.sh') });
    await machine.printed(executionId, 'ready');
    await machine.manager.freeze(executionId);
    await machine.manager.stop(executionId, cancel(60));

    expect(await machine.end(executionId)).toMatchObject({ outcome: 'cancelled', exit: { code: 7, signal: null } });
    expect(machine.log(executionId)).toMatch('goodbye');
  });
});
