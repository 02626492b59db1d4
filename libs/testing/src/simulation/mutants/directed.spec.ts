/** Troubles that chance meets once in very many schedules: arranged by hand, with and without the rule that stands against them. */
import { resolve } from 'node:path';
import { toJobSpec } from '@muster/domain';
import type { JobFacts } from '@muster/domain';
import type { Ack, BeatAck, JobId, JobNeeds, WorkerId } from '@muster/protocol';
import { NO_FAULTS } from '../settings/faults.js';
import { settingsOf } from '../settings/settings.js';
import { AgentHost } from '../world/agent-host.js';
import { Machine } from '../world/machine.js';
import { ENDLESS_MS } from '../world/process.js';
import { PRODUCT, PRODUCT_SHELL } from '../world/reducers.js';
import type { Reducers } from '../world/reducers.js';
import { report } from '../world/report.js';
import { World } from '../world/world.js';
import { loadMutant } from './load-mutant.js';

describe('a first hello that lay in a frozen replica for minutes', () => {
  test('changes nothing for the agent that was started since', () => {
    const { machines, counters } = afterLateHello(PRODUCT);
    expect(counters.get('late first hellos refused')).toBe(1);
    expect(machines[0]?.host?.isAlive).toBe(true);
    expect(counters.has('agent exit superseded')).toBe(false);
  });

  test('would take the worker from it, were it not refused', () => {
    const withoutRule: Reducers = { ...PRODUCT, shell: { ...PRODUCT_SHELL, refusesLateHellos: false } };
    expect(() => afterLateHello(withoutRule)).toThrow('superseded only by another');
  });
});

/** The agent says hello to a replica that freezes; it is started anew, served by the other one, and cut off when the hello comes. */
function afterLateHello(reducers: Reducers): World {
  const world = new World({ ...settingsOf(1, 'reclaim', { machineCount: 1 }), faults: NO_FAULTS, httpShare: 0 }, { reducers, isTraced: false });
  const [machine] = world.machines;
  machine?.startAgent();
  const first = machine?.host;
  const connection = first && world.connect(first);
  if (!machine || !(first instanceof AgentHost) || !connection) throw new Error('There is nobody to say hello, or to hear it.');
  const body = { instanceId: first.instanceId, session: 0, slots: machine.slots, executions: [], gpusHeld: [] };
  connection.replica.receive(connection, { kind: 'hello', body }, () => undefined);
  connection.replica.freeze(200_000);
  first.die('crash');
  machine.startAgent();
  world.scheduler.runUntil(20_000);
  for (const { index } of world.replicas) world.network.cut(machine.index, index, 'up', 240_000);
  world.scheduler.runUntil(400_000);
  return world;
}

describe('a process that outlived its lease and is named again once its slot was given away', () => {
  test('is not taken on beside the job that has the slot', () => {
    const { tables } = afterForeignOffer(PRODUCT).database;
    expect(tables.live.size).toBe(1);
  });

  test('would be, were the free slots not counted', async () => {
    const patches = [{ file: 'server/reclaim.ts', find: 'return live.length < worker.slots && !lost', replace: 'return !lost' }];
    const withoutRule = await loadMutant({ patches }, resolve(__dirname, '../../../..'));
    expect(() => afterForeignOffer(withoutRule)).toThrow('I5 capacity');
  });
});

/** One slot, one process, nobody heard until its lease is over; then a beat from before the process, an offer, and the process's own. */
function afterForeignOffer(reducers: Reducers): World {
  const world = new World({ ...settingsOf(seedOfSlots(1), 'reclaim', { machineCount: 1 }), faults: NO_FAULTS, httpShare: 0 }, { reducers, isTraced: false });
  const [machine] = world.machines;
  machine?.startAgent();
  world.scheduler.runUntil(5_000);
  submitEndless(world, 'job_first', 0);
  world.scheduler.runUntil(15_000);
  const host = machine?.host;
  const connection = host && world.connect(host);
  const worker = machine && world.database.tables.workers.get(machine.workerId);
  if (!machine || !connection || !worker) throw new Error('There is no agent to be forgotten.');
  connection.session = worker.session;
  for (const { index } of world.replicas) world.network.cut(machine.index, index, 'up', 500_000);
  while (world.database.tables.live.size > 0) world.scheduler.runUntil(world.nowMs + 100);
  submitEndless(world, 'job_second', 1);
  const body = { session: worker.session, executions: [], paused: false, slotsFree: 1 };
  connection.replica.receive(connection, { kind: 'beat', body }, () => undefined);
  while (world.database.tables.live.size === 0) world.scheduler.runUntil(world.nowMs + 100);
  // The agent says that it has no slot, and is not heard; it says so again after its next beat.
  world.scheduler.runUntil(world.nowMs + 300);
  world.network.heal();
  world.scheduler.runUntil(world.nowMs + 14_000);
  return world;
}

describe('an offer that lay in a frozen replica while another agent became the worker', () => {
  test('is said to nobody', () => {
    const copies = afterLateOffer(PRODUCT).machines.map((machine) => machine.livingProcesses().length);
    expect(copies).toEqual([1, 0]);
  });

  test('is not granted to the newer one, were it said to it', () => {
    const { counters, machines } = afterLateOffer({ ...PRODUCT, shell: { ...PRODUCT_SHELL, offersToTheStartItChose: false } });
    expect(counters.get('start refused, superseded')).toBe(1);
    expect(machines.map((machine) => machine.livingProcesses().length)).toEqual([1, 0]);
  });

  test('would start a second copy of an exclusive job, were it granted as well', async () => {
    const patches = [{ file: 'server/start.ts', find: "if (!isWitness(job, attempt, command.session)) return no('superseded');", replace: '' }];
    const withoutRules = await loadMutant({ patches, shell: { offersToTheStartItChose: false } }, resolve(__dirname, '../../../..'));
    expect(() => afterLateOffer(withoutRules)).toThrow('I4 one process');
  });
});

/** The offer is taken and its process runs; then an agent on another machine is the same worker, and the offer is said again. */
function afterLateOffer(reducers: Reducers): World {
  const world = new World({ ...settingsOf(1, 'exclusive', { machineCount: 1 }), faults: NO_FAULTS, httpShare: 0 }, { reducers, isTraced: false });
  const [machine] = world.machines;
  machine?.startAgent();
  world.scheduler.runUntil(5_000);
  submitEndless(world, 'job_first', 0, { exclusive: true, lostAfterSeconds: 10 });
  world.scheduler.runUntil(10_000);
  const [attempt] = world.database.tables.live.values();
  const session = machine && world.database.tables.workers.get(machine.workerId)?.session;
  if (!machine || !attempt || session === undefined) throw new Error('Nothing runs that could be offered again.');
  const newer = new Machine(world, 1, machine.workerId, { slots: machine.slots, startCount: 1_000 });
  world.machines.push(newer);
  newer.startAgent();
  world.scheduler.runUntil(15_000);
  for (const replica of world.replicas) replica.take({ kind: 'offer', workerId: machine.workerId, session, attemptId: attempt.id });
  world.scheduler.runUntil(17_000);
  return world;
}

describe('the word that an attempt never began, once more, when its agent has connected anew', () => {
  test('changes nothing', () => {
    const { counters, database } = afterRepeatedWord(PRODUCT);
    expect(counters.get('end repeated')).toBe(1);
    expect([...database.tables.live.values()]).toMatchObject([{ number: 2, state: 'running' }]);
  });

  test('would give back what runs, were the offer kept open after the first time', async () => {
    const patches = [{ file: 'server/end.ts', find: "if (command.outcome !== 'refused') return { kind: 'superseded' };", replace: "if (command.ranMs === null) return { kind: 'superseded' };" }];
    const withoutRule = await loadMutant({ patches }, resolve(__dirname, '../../../..'));
    expect(() => afterRepeatedWord(withoutRule)).toThrow('was taken back, and has a process');
  });
});

/** The agent dies with an intent on its disk; the next one says that it never began, forgets it, and connects once more. */
function afterRepeatedWord(reducers: Reducers): World {
  const world = new World({ ...settingsOf(1, 'reclaim', { machineCount: 1 }), faults: NO_FAULTS, httpShare: 0 }, { reducers, isTraced: false });
  const [machine] = world.machines;
  machine?.startAgent();
  world.scheduler.runUntil(5_000);
  submitEndless(world, 'job_first', 0);
  while (machine?.disk.size === 0) world.scheduler.runUntil(world.nowMs + 1);
  const [intent] = machine?.disk.values() ?? [];
  machine?.host?.die('crash');
  machine?.startAgent();
  while (intent !== undefined && machine?.disk.has(intent.ref.attemptId)) world.scheduler.runUntil(world.nowMs + 1);
  machine?.host?.drop();
  world.scheduler.runUntil(world.nowMs + 10_000);
  const connection = machine?.host && world.connect(machine.host);
  const worker = machine && world.database.tables.workers.get(machine.workerId);
  if (!connection || !worker || !intent) throw new Error('There is nobody to say it again.');
  connection.session = worker.session;
  connection.replica.receive(connection, { kind: 'end', body: { ...report('refused', null, null), ...intent.ref } }, () => undefined);
  world.scheduler.runUntil(world.nowMs + 1_000);
  return world;
}

describe('a beat from before a process that could not be killed', () => {
  test('gives its GPUs to nobody: the agent declines, and says again what is held', () => {
    const world = afterBeatFromBefore(PRODUCT);
    const { counters, database, scheduler, settings } = world;
    expect(counters.get('unkillable processes')).toBe(1);
    expect(counters.get('refused GPU')).toBe(1);
    scheduler.runUntil(world.nowMs + settings.beatIntervalMs);
    expect(counters.get('refused GPU')).toBe(1);
    expect(database.tables.workers.get('wkr_0' as WorkerId)?.gpusHeld).toEqual([0, 1]);
  });

  test('would, were the agent to count only the GPUs of what it looks after', async () => {
    const patches = [{ file: 'agent/offers.ts', find: 'const held = [...state.gpusQuarantined, ...draft', replace: 'const held = [...draft' }];
    const withoutRule = await loadMutant({ patches }, resolve(__dirname, '../../../..'));
    expect(() => afterBeatFromBefore(withoutRule)).toThrow('I5 one GPU, one attempt');
  });
});

/** All GPUs are held by what was cancelled and stays; a beat that knows nothing of it comes late, and somebody wants them. */
function afterBeatFromBefore(reducers: Reducers): World {
  const faults = { ...NO_FAULTS, unkillableRate: 1 };
  const world = new World({ ...settingsOf(seedOfSlots(2), 'reclaim', { machineCount: 1 }), faults, httpShare: 0 }, { reducers, isTraced: false });
  const [machine] = world.machines;
  machine?.startAgent();
  world.scheduler.runUntil(5_000);
  submitEndless(world, 'job_first', 0, {}, { gpus: 2 });
  world.scheduler.runUntil(15_000);
  const connection = machine?.host && world.connect(machine.host);
  const worker = machine && world.database.tables.workers.get(machine.workerId);
  if (!connection || !worker) throw new Error('There is no agent whose beat could be late.');
  connection.session = worker.session;
  connection.replica.decide({ type: 'cancel', jobId: 'job_first' as JobId, force: true, actor: 'bob' });
  while (world.database.tables.live.size > 0) world.scheduler.runUntil(world.nowMs + 10);
  submitEndless(world, 'job_second', 0, {}, { gpus: 2 });
  const body = { session: worker.session, executions: [], paused: false, slotsFree: 2, gpusHeld: [] };
  connection.replica.receive(connection, { kind: 'beat', body }, () => undefined);
  while (world.database.tables.live.size === 0) world.scheduler.runUntil(world.nowMs + 1);
  world.scheduler.runUntil(world.nowMs + 500);
  return world;
}

describe('a beat from before its process began, after the lease is over', () => {
  test('stops nothing: the process is taken on again', () => {
    const world = afterEarlierBeat(PRODUCT);
    world.network.heal();
    world.scheduler.runUntil(world.nowMs + 30_000);
    expect(world.machines[0]?.livingProcesses()).toHaveLength(1);
    expect([...world.database.tables.live.values()]).toMatchObject([{ number: 2, state: 'running', logId: 'att_1000001' }]);
  });

  test('would end it, were what it says taken for the present', async () => {
    const find = "if (report.state === 'accepted') return { kind: 'unleased', ref };";
    const replace = "if (report.state === 'accepted') return { kind: 'stop', ref, reason: 'superseded' };";
    const withoutRule = await loadMutant({ patches: [{ file: 'server/verdict.ts', find, replace }] }, resolve(__dirname, '../../../..'));
    expect(afterEarlierBeat(withoutRule).machines[0]?.livingProcesses()).toEqual([]);
  });
});

/** Nobody hears the agent until its lease is over; what is heard first then is a beat that it sent while it waited for its start. */
function afterEarlierBeat(reducers: Reducers): World {
  const world = new World({ ...settingsOf(seedOfSlots(1), 'reclaim', { machineCount: 1 }), faults: NO_FAULTS, httpShare: 0 }, { reducers, isTraced: false });
  const [machine] = world.machines;
  machine?.startAgent();
  world.scheduler.runUntil(5_000);
  submitEndless(world, 'job_first', 0, { lostAfterSeconds: 2 });
  world.scheduler.runUntil(15_000);
  const host = machine?.host;
  const connection = host && world.connect(host);
  const worker = machine && world.database.tables.workers.get(machine.workerId);
  const [attempt] = world.database.tables.live.values();
  if (!machine || !host || !connection || !worker || !attempt) throw new Error('There is no process whose lease could be over.');
  connection.session = worker.session;
  const sentMs = machine.clockMs;
  for (const { index } of world.replicas) world.network.cut(machine.index, index, 'up', 500_000);
  while (world.database.tables.live.size > 0) world.scheduler.runUntil(world.nowMs + 100);
  const executions = [{ attemptId: attempt.id, epoch: attempt.epoch, state: 'accepted' as const }];
  const body = { session: worker.session, executions, paused: false, slotsFree: 0, gpusHeld: [] };
  connection.replica.receive(connection, { kind: 'beat', body }, (ack) => {
    const answer = ack as Ack<BeatAck>;
    if ('ok' in answer) world.auditor.unwanted(answer.ok.verdicts);
    host.post({ type: 'beatAnswered', sentMs, answer });
  });
  world.scheduler.runUntil(world.nowMs + 3_000);
  return world;
}

function seedOfSlots(count: number): number {
  for (let seed = 1; ; seed++) {
    const world = new World(settingsOf(seed, 'reclaim', { machineCount: 1 }), { reducers: PRODUCT, isTraced: false });
    if (world.machines[0]?.slots === count) return seed;
  }
}

function submitEndless(
  world: World, name: string, priority: number,
  disconnect: { readonly exclusive?: boolean; readonly lostAfterSeconds?: number } = {}, needs: JobNeeds = {},
): void {
  const id = name as JobId;
  const result = toJobSpec({ run: { command: ['work'] }, needs, priority, disconnect, graceSeconds: 1 }, world.settings.workerTimeoutMs);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  world.plan(id, { runMs: ENDLESS_MS, exitCode: 0, bytesPerSecond: 0, ignoresStop: false, failsToSpawn: false, limitMs: null });
  const job: JobFacts = {
    id, owner: 'ada', spec: result.spec, status: 'queued', desired: 'run', force: false, reason: 'waiting', reasonDetail: null, priority, epoch: 0,
    attemptCount: 0, currentAttemptId: null, failures: 0, losses: 0, refusals: 0, lossesWhileRunning: 0, notBeforeMs: null, queueUntilMs: null,
    createdMs: world.database.nowMs, startedMs: null, finishedMs: null, exit: null,
  };
  world.database.insertJob(job);
}
