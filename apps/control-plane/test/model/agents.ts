/** What agents do and say, on real sockets; also what no honest agent says. */
import fc from 'fast-check';
import type { BeatAck, ExecutionState, HelloAck, LogAck, Outcome, Verdict } from '@muster/protocol';
import { eventually } from '@muster/testing';
import { pick, type Deed } from './command.js';
import type { Model, Reported } from './model.js';
import { isAlive, type Attempt, type Execution, type Worker } from './state.js';
import type { World } from './world.js';

const who = fc.nat(1);
const which = fc.nat(7);
export type On<More = unknown> = { readonly worker: number } & More;

type Fits = (worker: Worker, model: Model) => boolean;
const isHere: Fits = ({ isSynced }) => isSynced;
const isAway: Fits = ({ isSynced, isKeyRevoked }) => !isSynced && !isKeyRevoked;
const mayRestart: Fits = ({ id, isKeyRevoked }) => id !== null && !isKeyRevoked;
const isHaunted: Fits = ({ isSynced, isKeyRevoked, hasGhost }) => isSynced && !isKeyRevoked && hasGhost;
const hasOffers: Fits = (worker, model) => worker.isSynced && offersOf(model, worker).length > 0;
const hasProcesses: Fits = ({ disk }) => disk.some(isAlive);
const hasBegun: Fits = ({ isSynced, disk }) => isSynced && disk.some(({ state }) => state !== 'accepted');

/** Whoever can do it; where several can, the number says who. */
const one = (fits: Fits, model: Model, { worker }: On): Worker => pick(model.workers.filter((other) => fits(other, model)), worker) as Worker;
const some = (fits: Fits) => (model: Model): boolean => model.workers.some((worker) => fits(worker, model));
const someAndAttempts = (fits: Fits) => (model: Model): boolean => model.attempts.length > 0 && some(fits)(model);

/** Those that this worker holds before all others: most of what agents say is true. */
function attemptFor(model: Model, worker: Worker, number: number): Attempt | undefined {
  const own = model.liveOf(worker);
  return number < 5 && own.length > 0 ? pick(own, number) : pick(model.attempts, number);
}

function offersOf(model: Model, worker: Worker): Attempt[] {
  return model.liveOf(worker).filter(({ state }) => state === 'offered');
}

/** The model cannot know the ids of attempts the control plane makes: they are taken from the verdicts. */
function agree(model: Model, worker: Worker, expected: readonly Verdict[], told: readonly Verdict[]): void {
  const named = expected.map((verdict, index) => {
    const answer = told[index];
    const made = verdict.kind === 'reclaimed' ? model.attempt(verdict.attempt.attemptId) : undefined;
    if (!made?.id.startsWith('att_reclaimed') || answer?.kind !== 'reclaimed') return verdict;
    made.id = answer.attempt.attemptId;
    return { ...verdict, attempt: { attemptId: made.id, epoch: made.epoch } };
  });
  expect(told.map(withoutMoments)).toEqual(named.map(withoutMoments));
  for (const verdict of named) obey(worker, verdict);
}

/** What is left of the term of an offer is counted in real moments. */
function withoutMoments(verdict: Verdict): Verdict {
  return verdict.kind === 'keep' && verdict.leaseMs !== null ? { ...verdict, leaseMs: Math.ceil(verdict.leaseMs / 100_000) } : verdict;
}

function obey(worker: Worker, verdict: Verdict): void {
  const execution = worker.disk.find(({ attemptId }) => attemptId === verdict.ref.attemptId);
  if (verdict.kind === 'stop') forget(worker, execution);
  if (verdict.kind === 'reclaimed' && execution) Object.assign(execution, verdict.attempt);
}

function forget(worker: Worker, execution: Execution | undefined): void {
  worker.disk = worker.disk.filter((other) => other !== execution);
}

async function greet(model: Model, world: World, worker: Worker, isNewStart: boolean): Promise<void> {
  const agent = await world.connect(worker, isNewStart);
  const listed = worker.disk.map((execution) => ({ ...execution }));
  const expected = model.hello(worker, listed, isNewStart || worker.id === null);
  const ack: HelloAck = await agent.hello(listed, { gpusHeld: worker.stuckGpus });
  expect(worker.id ?? ack.workerId).toBe(ack.workerId);
  worker.id = ack.workerId;
  agree(model, worker, expected, ack.verdicts);
}

const connect: Deed<On> = {
  args: fc.record({ worker: who }),
  weight: 30,
  can: some(isAway),
  perform: (model, world, args) => {
    const worker = one(isAway, model, args);
    return greet(model, world, worker, !world.hasAgent(worker));
  },
};

const kill: Deed<On> = {
  args: fc.record({ worker: who }),
  weight: 2,
  can: some(isHere),
  perform: async (model, world, args) => {
    const worker = one(isHere, model, args);
    await world.kill(worker);
    model.socketClosed(worker);
  },
};

/** A new process of the agent, which read its directory, or found it empty. */
const restart: Deed<On<{ readonly isEmpty: boolean }>> = {
  args: fc.record({ worker: who, isEmpty: fc.boolean() }),
  weight: 2,
  can: some(mayRestart),
  perform: async (model, world, args) => {
    const worker = one(mayRestart, model, args);
    if (args.isEmpty) worker.disk = [];
    world.haunt(worker);
    worker.hasGhost = true;
    await greet(model, world, worker, true);
  },
};

/** The agent of before the last new start speaks up; two agents with one identity. */
const ghost: Deed<On> = {
  args: fc.record({ worker: who }),
  weight: 6,
  can: some(isHaunted),
  perform: async (model, world, args) => {
    const worker = one(isHaunted, model, args);
    const agent = await world.connectGhost(worker);
    const held = model.liveOf(worker).map(({ id, epoch }) => ({ attemptId: id, epoch, state: 'running' as const }));
    expect(await agent.call('worker:hello', agent.helloMessage(held))).toMatchObject({ error: { code: 'superseded' } });
    await eventually('the older start is sent away', () => !agent.isConnected, { everyMs: 2 });
  },
};

const NONE: readonly number[] = [];
const beat: Deed<On<{ readonly heldBack: number; readonly paused: boolean; readonly gpusHeld: readonly number[] }>> = {
  args: fc.record({
    worker: who, heldBack: fc.constantFrom(0, 0, 0, 0, 1), paused: fc.constantFrom(false, false, false, false, true),
    gpusHeld: fc.constantFrom(NONE, NONE, NONE, [0], [1, 0]),
  }),
  weight: 12,
  can: some(isHere),
  perform: async (model, world, { heldBack, paused, gpusHeld, ...args }) => {
    const worker = one(isHere, model, args);
    worker.stuckGpus = gpusHeld;
    const executions = worker.disk.map((execution) => ({ ...execution }));
    const busy = executions.filter(({ state }) => state !== 'exited').length;
    const slotsFree = Math.max(0, worker.slots - busy - heldBack);
    const expected = model.beat(worker, executions, { slotsFree, paused });
    const agent = world.agentOf(worker);
    const { verdicts } = await agent.ask<BeatAck>('worker:beat', { session: agent.session, executions, sample: null, paused, slotsFree, gpusHeld });
    agree(model, worker, expected, verdicts);
  },
};

/** The whole way from the offer that arrived to the start that is granted. */
const takeOffer: Deed<On<{ readonly which: number; readonly isAsked: boolean }>> = {
  args: fc.record({ worker: who, which, isAsked: fc.constantFrom(true, true, true, false) }),
  weight: 30,
  can: some(hasOffers),
  perform: async (model, world, args) => {
    const worker = one(hasOffers, model, args);
    const attempt = pick(offersOf(model, worker), args.which) as Attempt;
    const agent = world.agentOf(worker);
    const offer = await eventually(`the offer of ${attempt.id}`, () => agent.offers.find(({ attemptId }) => attemptId === attempt.id), { everyMs: 2 });
    expect(offer).toMatchObject({ epoch: attempt.epoch, number: attempt.number, jobId: attempt.job.id, gpus: attempt.gpus });
    const { attemptId, epoch } = offer;
    const execution: Execution = worker.disk.find((known) => known.attemptId === attemptId) ?? { attemptId, epoch, state: 'accepted' };
    if (!worker.disk.includes(execution)) worker.disk.push(execution);
    if (args.isAsked) await ask(model, world, worker, execution);
  },
};

async function ask(model: Model, world: World, worker: Worker, execution: Execution): Promise<void> {
  const expected = model.start(worker, execution.attemptId, execution.epoch);
  expect(await world.agentOf(worker).start(execution)).toEqual(expected);
  if (expected.kind === 'go' && execution.state === 'accepted') execution.state = 'running';
  if (expected.kind === 'no') forget(worker, execution);
}

/** Asks for any attempt at all: of another worker, of an earlier epoch, once more. */
const start: Deed<On<{ readonly which: number; readonly older: number }>> = {
  args: fc.record({ worker: who, which, older: fc.constantFrom(0, 0, 1) }),
  weight: 3,
  can: someAndAttempts(isHere),
  perform: async (model, world, args) => {
    const worker = one(isHere, model, args);
    const attempt = attemptFor(model, worker, args.which) as Attempt;
    const epoch = attempt.epoch - args.older;
    const expected = model.start(worker, attempt.id, epoch);
    expect(await world.agentOf(worker).start({ attemptId: attempt.id, epoch })).toEqual(expected);
    if (expected.kind === 'go' && !worker.disk.some(({ attemptId }) => attemptId === attempt.id)) {
      worker.disk.push({ attemptId: attempt.id, epoch, state: 'running' });
    }
  },
};

const refuse: Deed<On<{ readonly which: number; readonly older: number; readonly reason: 'noSlot' | 'draining' | 'tooLate' }>> = {
  args: fc.record({ worker: who, which, older: fc.constantFrom(0, 0, 0, 1), reason: fc.constantFrom('noSlot', 'draining', 'tooLate') }),
  weight: 3,
  can: someAndAttempts(isHere),
  perform: async (model, world, { reason, ...args }) => {
    const worker = one(isHere, model, args);
    const attempt = attemptFor(model, worker, args.which) as Attempt;
    const epoch = attempt.epoch - args.older;
    model.refuse(worker, attempt.id, epoch, reason);
    expect(await world.agentOf(worker).ask('attempt:refuse', { attemptId: attempt.id, epoch, reason })).toEqual({});
    forget(worker, worker.disk.find(({ attemptId }) => attemptId === attempt.id));
  },
};

/** Something becomes of a process; the control plane hears of it with the next beat. */
const process: Deed<On<{ readonly which: number; readonly state: ExecutionState }>> = {
  args: fc.record({ worker: who, which, state: fc.constantFrom('exited', 'paused', 'running') }),
  weight: 12,
  can: some(hasProcesses),
  perform: async (model, _world, args) => {
    const alive = one(hasProcesses, model, args).disk.filter(isAlive);
    (pick(alive, args.which) as Execution).state = args.state;
  },
};

const REPORTS: readonly Reported[] = [
  { outcome: 'succeeded', exitCode: 0 }, { outcome: 'failed', exitCode: 3 }, { outcome: 'timedOut', exitCode: null },
  { outcome: 'cancelled', exitCode: null }, { outcome: 'stopped', exitCode: null }, { outcome: 'lost', exitCode: null },
  { outcome: 'refused', exitCode: null }, { outcome: 'unkillable', exitCode: null },
];
const report = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...REPORTS.slice(0, 2)) }, { weight: 2, arbitrary: fc.constantFrom(...REPORTS) });

async function tellEnd(model: Model, world: World, worker: Worker, ref: Execution | { attemptId: Attempt['id']; epoch: number }, told: Reported): Promise<void> {
  const { attemptId, epoch } = ref;
  const expected = model.end(worker, attemptId, epoch, told);
  const exit = told.exitCode === null ? null : { code: told.exitCode, signal: null };
  const outcome: Outcome = told.outcome;
  expect(await world.agentOf(worker).end({ attemptId, epoch }, { outcome, exit })).toEqual(expected);
}

/** The end of something it runs; `isHeard`: the answer arrives, and the agent forgets it. */
const end: Deed<On<{ readonly which: number; readonly told: Reported; readonly isHeard: boolean }>> = {
  args: fc.record({ worker: who, which, told: report, isHeard: fc.constantFrom(true, true, false) }),
  weight: 15,
  can: some(hasBegun),
  perform: async (model, world, args) => {
    const worker = one(hasBegun, model, args);
    const execution = pick(worker.disk.filter(({ state }) => state !== 'accepted'), args.which) as Execution;
    execution.state = 'exited';
    await tellEnd(model, world, worker, execution, args.told);
    if (args.isHeard) forget(worker, execution);
  },
};

/** The end of any attempt at all, also twice, of an earlier epoch, of another worker. */
const endAny: Deed<On<{ readonly which: number; readonly older: number; readonly told: Reported }>> = {
  args: fc.record({ worker: who, which, older: fc.constantFrom(0, 0, 0, 1), told: report }),
  weight: 3,
  can: someAndAttempts(isHere),
  perform: async (model, world, args) => {
    const worker = one(isHere, model, args);
    const attempt = (pick(model.attempts, args.which)) as Attempt;
    await tellEnd(model, world, worker, { attemptId: attempt.id, epoch: attempt.epoch - args.older }, args.told);
  },
};

const appendLog: Deed<On<{ readonly which: number; readonly text: string; readonly at: 'right' | 'low' | 'high' }>> = {
  args: fc.record({ worker: who, which, text: fc.constantFrom('a\n', 'longer line\n', 'x'), at: fc.constantFrom('right', 'right', 'right', 'low', 'high') }),
  weight: 8,
  can: someAndAttempts(isHere),
  perform: async (model, world, { text, at, ...args }) => {
    const worker = one(isHere, model, args);
    const attempt = attemptFor(model, worker, args.which) as Attempt;
    const { length } = attempt.log.text;
    const offset = { right: length, low: Math.max(0, length - 1), high: length + 7 }[at];
    const expected: LogAck = model.append(worker, attempt, offset, text);
    const ref = { attemptId: attempt.id, epoch: attempt.epoch };
    expect(await world.agentOf(worker).log(ref, offset, text)).toEqual(expected);
    // The same bytes once more: the answer was lost.
    expect(await world.agentOf(worker).log(ref, offset, text)).toEqual(model.append(worker, attempt, offset, text));
  },
};

export const AGENTS = { connect, kill, restart, ghost, beat, takeOffer, start, refuse, process, end, endAny, appendLog };
