/** What is prepared before its job is known: it is used, it costs nothing when it is lost, and nothing of it is left. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ExecutionId } from '../../src/execution/execution-types.js';
import { cgroupBases, cgroupNameOf } from '../../src/containment/probe.js';
import { toIntent } from '../../src/execution/intent.js';
import { AttemptDirectory } from '../../src/supervisor/attempt-directory.js';
import { readStat, readUptimeSeconds, TICKS_PER_SECOND } from '../../src/supervisor/process-identity.js';
import { DriverProgram } from './driver-process.js';
import { canContain, machineHas } from './machine.js';
import {
  anOffer,
  aStateDir,
  eventually,
  ManagerHarness,
  pidsOf,
  readText,
  removeGroup,
  removeStateDir,
} from './manager-harness.js';

jest.setTimeout(120_000);

const itGrouped = machineHas('control groups', canContain('cgroup')) ? it : it.skip;
const itNested = machineHas('pid namespaces', canContain('namespace')) && canContain('cgroup') ? it : it.skip;

const namesIn = (path: string): string[] => (existsSync(path) ? readdirSync(path) : []);
const readyIn = (stateDir: string): string[] => namesIn(join(stateDir, 'ready'));

/** The groups of this state directory, wherever the agent could make them. */
function groupsOf(stateDir: string): string[] {
  const bases = cgroupBases(readText('/proc/self/mounts'), readText('/proc/self/cgroup'));
  return bases
    .map((base) => join(base, cgroupNameOf(stateDir)))
    .flatMap((root) =>
      namesIn(root)
        .filter((name) => name.startsWith('exe-'))
        .map((name) => join(root, name)),
    );
}

/** Shells of this agent that hold a start prepared: in the session of their supervisor, and not its leader. */
async function preparedPids(stateDir: string): Promise<number[]> {
  const shells = await pidsOf(join(stateDir, 'slot.sh'));
  return shells.filter((pid) => {
    const stat = readStat(pid);
    return stat !== null && stat.sessionId !== pid;
  });
}

async function supervisorPids(stateDir: string): Promise<number[]> {
  const shells = await pidsOf(join(stateDir, 'slot.sh'));
  return shells.filter((pid) => readStat(pid)?.sessionId === pid);
}

const pidsAlive = (pids: readonly number[]): number[] => pids.filter((pid) => readStat(pid) !== null);

const allPrepared = (stateDir: string, slots: number): Promise<number[]> =>
  eventually('every slot has its next start prepared', async () => {
    const pids = await preparedPids(stateDir);
    return pids.length === slots && readyIn(stateDir).length === slots ? pids : null;
  });

/** Every slot has one start prepared again, and nothing else of any execution is there. */
const isAtRest = (stateDir: string, slots: number): Promise<true> =>
  eventually('the agent is at rest', async () => {
    const ready = readyIn(stateDir);
    const groups = groupsOf(stateDir).map((path) => basename(path));
    const isGrouped = groups.length === 0 || groups.sort().join() === [...ready].sort().join();
    const isRest = ready.length === slots && isGrouped && namesIn(join(stateDir, 'attempts')).length === 0;
    return isRest && (await preparedPids(stateDir)).length === slots ? true : null;
  });

describe('a start that is prepared ahead', () => {
  const SLOTS = 2;
  let harness: ManagerHarness;
  beforeEach(async () => {
    harness = await ManagerHarness.open({ slots: SLOTS });
    await allPrepared(harness.stateDir, SLOTS);
  });
  afterEach(() => harness.destroy());

  const directoryOf = (executionId: ExecutionId): AttemptDirectory =>
    new AttemptDirectory(harness.manager.paths(executionId).directory);

  /** Resolves when the agent has noticed, and others stand ready. */
  async function killPrepared(): Promise<void> {
    const victims = await eventually('all are prepared', async () => {
      const pids = await preparedPids(harness.stateDir);
      return pids.length === SLOTS ? pids : null;
    });
    for (const pid of victims) process.kill(pid, 'SIGKILL');
    await eventually('others are prepared', async () => {
      const pids = await preparedPids(harness.stateDir);
      return pids.length === SLOTS && !pids.some((pid) => victims.includes(pid)) ? true : null;
    });
  }

  itGrouped('has its process in its control group before the job is known', async () => {
    const waiting = await eventually('both have entered', () => {
      const pids = groupsOf(harness.stateDir).flatMap((path) => readText(join(path, 'cgroup.procs')).split('\n'));
      return pids.filter(Boolean).length === SLOTS ? pids.filter(Boolean).map(Number) : null;
    });
    const { executionId, end } = await harness.run({ run: { shell: 'exit 5' } });
    expect(end).toMatchObject({ outcome: 'failed', exit: { code: 5, signal: null }, containment: 'cgroup' });
    expect(waiting).toContain(directoryOf(executionId).readIdent().job?.pid);
  });

  it('is not counted as running before the job was', async () => {
    const beforeSeconds = readUptimeSeconds();
    const { executionId } = await harness.run({});
    const { job, startedAtSeconds } = directoryOf(executionId).readIdent();
    expect((job?.startTicks ?? Number.NaN) / TICKS_PER_SECOND).toBeLessThanOrEqual(beforeSeconds);
    expect(startedAtSeconds).toBeGreaterThanOrEqual(beforeSeconds);
  });

  it('costs no job anything when its process is killed before or after it was accepted', async () => {
    await killPrepared();
    expect((await harness.run({ run: { shell: 'exit 3' } })).end.exit).toEqual({ code: 3, signal: null });

    const executionId = await harness.accept({ run: { shell: 'exit 4' } });
    await killPrepared();
    await harness.manager.start(executionId);
    expect((await harness.end(executionId)).exit).toEqual({ code: 4, signal: null });
  });

  it('lets a job be ordered again when its process is killed in the moment it is told to start', async () => {
    const executionId = await harness.accept({ run: { shell: 'echo ran' } });
    const supervisors = await supervisorPids(harness.stateDir);
    for (const pid of supervisors) process.kill(pid, 'SIGSTOP');
    try {
      for (const pid of await preparedPids(harness.stateDir)) process.kill(pid, 'SIGKILL');
      await harness.manager.start(executionId);
    } finally {
      for (const pid of supervisors) process.kill(pid, 'SIGCONT');
    }
    const end = await harness.end(executionId);
    expect([end.outcome, end.ranMs, harness.log(executionId)]).toEqual(['refused', null, '']);
    await harness.manager.discard(executionId);
    await isAtRest(harness.stateDir, SLOTS);
  });

  it('is not counted on when its supervisor is killed while its process stands still', async () => {
    const [prepared, supervisors] = [await preparedPids(harness.stateDir), await supervisorPids(harness.stateDir)];
    for (const pid of prepared) process.kill(pid, 'SIGSTOP');
    for (const pid of supervisors) process.kill(pid, 'SIGKILL');
    try {
      await eventually('others are there', async () => {
        const now = await supervisorPids(harness.stateDir);
        return now.length === SLOTS && !now.some((pid) => supervisors.includes(pid)) ? true : null;
      });
      const ends = await Promise.all([3, 4].map((code) => harness.run({ run: { shell: `exit ${code}` } })));
      expect(ends.map(({ end }) => end.exit?.code)).toEqual([3, 4]);
    } finally {
      for (const pid of prepared) if (pidsAlive([pid]).length > 0) process.kill(pid, 'SIGKILL');
    }
    for (const { executionId } of harness.manager.list()) await harness.manager.discard(executionId);
    await isAtRest(harness.stateDir, SLOTS);
  });

  it('costs no job anything when its supervisor is killed before the start', async () => {
    const executionIds = [await harness.accept({ run: { shell: 'exit 3' } }), await harness.accept({})];
    const shells = await pidsOf(join(harness.stateDir, 'slot.sh'));
    for (const pid of await supervisorPids(harness.stateDir)) process.kill(pid, 'SIGKILL');
    await eventually('others are there', async () => {
      const now = await pidsOf(join(harness.stateDir, 'slot.sh'));
      return now.length >= SLOTS && !now.some((pid) => shells.includes(pid)) ? true : null;
    });
    for (const executionId of executionIds) await harness.manager.start(executionId);
    const ends = await Promise.all(executionIds.map((executionId) => harness.end(executionId)));
    expect(ends.map(({ exit }) => exit?.code)).toEqual([3, 0]);
    for (const executionId of executionIds) await harness.manager.discard(executionId);
    await isAtRest(harness.stateDir, SLOTS);
  });

  it('is given back by an execution that is discarded, or stopped before its start', async () => {
    const discarded = await harness.accept({});
    await harness.manager.discard(discarded);
    const stopped = await harness.accept({});
    await harness.manager.stop(stopped, { kind: 'stop', graceSeconds: 1, reason: 'cancelled' });
    await harness.end(stopped);
    await harness.manager.discard(stopped);
    await isAtRest(harness.stateDir, SLOTS);
  });

  it('leaves nothing of one job to the next, a hundred times', async () => {
    const mark = `left-behind-${process.pid}-${Date.now()}`;
    for (let round = 0; round < 100; round++) {
      const command = ['/bin/sh', '-c', 'setsid sleep 300 & exit 0', mark];
      const executionId = await harness.begin({ run: round % 10 === 0 ? { command } : { command: ['/bin/true'] } });
      expect((await harness.end(executionId)).outcome).toBe('succeeded');
      if (round % 10 === 0) expect(await pidsOf(mark)).toEqual([]);
      await harness.manager.discard(executionId);
    }
    await isAtRest(harness.stateDir, SLOTS);
  });

  itNested('is put aside for a job that needs to be held otherwise', async () => {
    const { end } = await harness.run({ needs: { containment: 'namespace' }, run: { shell: 'exit 6' } });
    expect(end).toMatchObject({ exit: { code: 6 }, containment: 'namespace' });
    expect((await harness.run({ run: { shell: 'exit 7' } })).end).toMatchObject({ exit: { code: 7 } });
    for (const { executionId } of harness.manager.list()) await harness.manager.discard(executionId);
    await isAtRest(harness.stateDir, SLOTS);
  });
});

describe('what an agent had prepared', () => {
  it('is gone when the agent has closed', async () => {
    const harness = await ManagerHarness.open({ slots: 3 });
    await allPrepared(harness.stateDir, 3);
    await harness.manager.close();
    expect([readyIn(harness.stateDir), groupsOf(harness.stateDir)]).toEqual([[], []]);
    expect(await pidsOf(join(harness.stateDir, 'slot.sh'))).toEqual([]);
    removeStateDir(harness.stateDir);
  });

  itGrouped('is gone with its control groups when the agent has closed, also when it stands still', async () => {
    const harness = await ManagerHarness.open({ slots: 2 });
    const prepared = await allPrepared(harness.stateDir, 2);
    for (const pid of prepared) process.kill(pid, 'SIGSTOP');
    await harness.manager.close();
    expect([readyIn(harness.stateDir), groupsOf(harness.stateDir), pidsAlive(prepared)]).toEqual([[], [], []]);
    removeStateDir(harness.stateDir);
  });

  itGrouped(
    'is gone with its control group when it was taken by what never started, also when it stands still',
    async () => {
      const stateDir = aStateDir();
      const program = await DriverProgram.build();
      const driver = program.start(stateDir, 1, []);
      let prepared: number[] = [];
      try {
        await driver.ready();
        prepared = await allPrepared(stateDir, 1);
        const [seat = ''] = readyIn(stateDir);
        for (const pid of prepared) process.kill(pid, 'SIGSTOP');
        await driver.kill();
        const taken = join(stateDir, 'attempts', seat);
        const intent = toIntent(new AttemptDirectory(taken), anOffer(), 'cgroup', groupsOf(stateDir)[0] ?? null);
        writeFileSync(join(stateDir, 'ready', seat, 'intent.json'), JSON.stringify(intent));
        renameSync(join(stateDir, 'ready', seat), taken);
        const harness = await ManagerHarness.open({ stateDir, slots: 1 });
        expect(await harness.manager.recover()).toMatchObject([
          { kind: 'neverStarted', ref: intent.ref },
        ]);
        expect([groupsOf(stateDir).filter((path) => basename(path) === seat), pidsAlive(prepared)]).toEqual([[], []]);
        await harness.destroy();
      } finally {
        for (const pid of pidsAlive(prepared)) process.kill(pid, 'SIGKILL');
        await driver.kill();
        program.remove();
        removeStateDir(stateDir);
      }
    },
  );

  itGrouped('is gone with its control groups wherever an earlier agent had to make them', async () => {
    const first = await ManagerHarness.open({ slots: 1 });
    const { stateDir } = first;
    await allPrepared(stateDir, 1);
    const here = dirname(groupsOf(stateDir)[0] ?? '');
    await first.manager.close();
    const elsewhere = `${here}-of-an-earlier-agent`;
    const left = [join(here, 'exe-of-nobody'), join(elsewhere, 'exe-of-nobody'), join(elsewhere, 'exe-of-a-seat'), join(here, 'probe-of-nobody')];
    const waiting: ChildProcess[] = [];
    try {
      for (const path of left) mkdirSync(path, { recursive: true });
      mkdirSync(join(stateDir, 'ready', 'exe-of-a-seat'));
      writeFileSync(join(stateDir, 'cgroup-folders'), `${elsewhere}\n`);
      const script = 'echo 0 >"$1/cgroup.procs"; exec sleep 300';
      // One that a seat's supervisor would leave by itself, and one that a probe froze.
      for (const path of left.slice(2)) {
        waiting.push(spawn('/bin/sh', ['-c', script, 'sh', path], { stdio: 'ignore' }));
        await eventually('it has entered', () => (readText(join(path, 'cgroup.procs')) === '' ? null : true));
      }
      writeFileSync(join(left[3] ?? '', 'cgroup.freeze'), '1');

      const second = await ManagerHarness.open({ stateDir, slots: 1 });
      await eventually('they are gone', () => (left.some((path) => existsSync(path)) ? null : true));
      expect(readText(join(stateDir, 'cgroup-folders')).split('\n')).toContain(here);
      await second.destroy();
    } finally {
      for (const one of waiting) one.kill('SIGKILL');
      for (const path of [...left, elsewhere]) if (existsSync(path)) removeGroup(path);
      removeStateDir(stateDir);
    }
  });

  it('is gone when the next agent has come, however it died', async () => {
    const stateDir = aStateDir();
    const program = await DriverProgram.build();
    const driver = program.start(stateDir, 3, [{ offer: anOffer(), grant: {} }]);
    try {
      await driver.says('that its job ended', (line) => line.kind === 'ended');
      await allPrepared(stateDir, 3);
      const before = readyIn(stateDir);
      await driver.kill();
      const harness = await ManagerHarness.open({ stateDir, slots: 1 });
      for (const found of await harness.manager.recover()) {
        if (found.kind === 'ended') await harness.manager.discard(found.view.executionId);
      }
      await isAtRest(stateDir, 1);
      expect(readyIn(stateDir).filter((name) => before.includes(name))).toEqual([]);
      await harness.destroy();
    } finally {
      await driver.kill();
      program.remove();
      removeStateDir(stateDir);
    }
  });
});
