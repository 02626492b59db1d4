/** Commands no honest agent or person would send now, beside those they would: made from the rows as they stand. */
import type { AttemptFacts, ServerCommand, Slice, WorkerFacts } from '@muster/domain';
import {
  DRAIN_POLICIES, EXECUTION_STATES, OUTCOMES, REFUSALS, type AttemptEnd, type AttemptId, type AttemptRef, type ExecutionReport, type JobId, type WorkerId,
} from '@muster/protocol';
import type { Chance } from './chance.js';

const UNKNOWN_JOB = 'job_unknown' as JobId;
const UNKNOWN_ATTEMPT = 'att_unknown' as AttemptId;
const UNKNOWN_WORKER = 'wkr_unknown' as WorkerId;

type Maker = (rows: Slice, chance: Chance) => ServerCommand;

const MAKERS: Record<ServerCommand['type'], Maker> = {
  hello: (rows, chance) => {
    const worker = anyWorker(rows, chance);
    if (worker !== undefined && chance.isTrue(0.4)) return honestHello(rows, worker);
    const instanceId = chance.isTrue(0.5) ? (worker?.instanceId ?? '0000000001-a') : `${String(chance.whole(0, 5_000)).padStart(10, '0')}-b`;
    const session = chance.isTrue(0.3) ? 0 : sessionOf(worker, chance);
    return { type: 'hello', workerId: idOf(worker), session, instanceId, slots: chance.whole(1, 3), executions: reportsOf(rows, worker, chance), gpusHeld: gpusOf(chance) };
  },
  beat: (rows, chance) => {
    const worker = anyWorker(rows, chance);
    if (worker !== undefined && chance.isTrue(0.5)) return honestBeat(rows, worker);
    const executions = reportsOf(rows, worker, chance);
    return { type: 'beat', workerId: idOf(worker), session: sessionOf(worker, chance), executions, isPaused: chance.isTrue(0.2), slotsFree: chance.whole(0, 3), gpusHeld: gpusOf(chance) };
  },
  start: (rows, chance) => ({ type: 'start', ...speaker(rows, chance) }),
  refuse: (rows, chance) => ({ type: 'refuse', ...speaker(rows, chance), reason: chance.pick(REFUSALS) }),
  end: (rows, chance) => ({ type: 'end', ...speaker(rows, chance), ...anEnding(chance) }),
  cancel: (rows, chance) => ({ type: 'cancel', jobId: anyJobId(rows, chance), force: chance.isTrue(0.5), actor: 'ada' }),
  pause: (rows, chance) => ({ type: 'pause', jobId: anyJobId(rows, chance), actor: 'ada' }),
  resume: (rows, chance) => ({ type: 'resume', jobId: anyJobId(rows, chance), actor: 'bob' }),
  requeue: (rows, chance) => ({ type: 'requeue', jobId: strandedJobId(rows, chance), actor: 'bob' }),
  abandon: (rows, chance) => ({ type: 'abandon', jobId: strandedJobId(rows, chance), actor: 'bob' }),
  cordon: (rows, chance) => ({ type: 'cordon', workerId: idOf(anyWorker(rows, chance)), actor: 'ada', ...noteOf(chance) }),
  drain: (rows, chance) => ({
    type: 'drain', workerId: idOf(anyWorker(rows, chance)), actor: 'bob', policy: chance.pick(DRAIN_POLICIES), deadlineSeconds: chance.pick([null, 0, 60]), ...noteOf(chance),
  }),
  undrain: (rows, chance) => ({ type: 'undrain', workerId: idOf(anyWorker(rows, chance)), actor: 'ada' }),
  setSlots: (rows, chance) => ({ type: 'setSlots', workerId: idOf(anyWorker(rows, chance)), actor: 'ada', slots: chance.pick([null, 1, 2, 3]) }),
  removeWorker: (rows, chance) => ({ type: 'removeWorker', workerId: idOf(anyWorker(rows, chance)), actor: 'bob', force: chance.isTrue(0.5) }),
  sweepDrain: (rows, chance) => ({ type: 'sweepDrain', workerId: idOf(anyWorker(rows, chance)) }),
  sweepAttempt: (rows, chance) => ({ type: 'sweepAttempt', attemptId: anyAttempt(rows, chance)?.id ?? UNKNOWN_ATTEMPT }),
  sweepQueued: (rows, chance) => ({ type: 'sweepQueued', jobId: anyJobId(rows, chance) }),
  workerLink: (rows, chance) => ({ type: 'workerLink', workerId: idOf(anyWorker(rows, chance)), socket: chance.pick(['closed', 'silent']) }),
};

export const COMMAND_TYPES = Object.keys(MAKERS) as ServerCommand['type'][];

export function probe(type: ServerCommand['type'], rows: Slice, chance: Chance): ServerCommand {
  return MAKERS[type](rows, chance);
}

/** An ending as an agent reports it; its outcome is any there is. */
export function anEnding(chance: Chance): Omit<AttemptEnd, keyof AttemptRef> {
  const outcome = chance.isTrue(0.3) ? 'succeeded' : chance.pick(OUTCOMES);
  return {
    outcome,
    exit: chance.pick([null, { code: outcome === 'succeeded' ? 0 : 1, signal: null }, { code: null, signal: 'SIGKILL' }]),
    detail: chance.pick([null, 'as a probe says']),
    usage: { cpuSeconds: 1.5, memoryBytesPeak: null, wallSeconds: 3 },
    containment: 'group',
    leftovers: chance.whole(0, 2),
    logs: { output: { length: chance.whole(0, 99), sha256: 'ab'.repeat(32) } },
    ranMs: 3_000,
    ...(chance.isTrue(0.5) ? { result: { accuracy: 0.5, text: 'with \u0000 inside' } } : {}),
  };
}

/** What the agent says that knows nothing of a lease that was lost: all that it holds, as it stands. */
export function honestBeat(rows: Slice, worker: WorkerFacts): ServerCommand {
  const own = [...rows.attempts.values()].filter((attempt) => attempt.workerId === worker.id && (attempt.state !== 'ended' || mayComeBack(rows, attempt)));
  const executions = own.map(({ id, epoch, state }) => ({
    attemptId: id, epoch, state: state === 'paused' ? ('paused' as const) : state === 'offered' ? ('accepted' as const) : ('running' as const),
  }));
  return { type: 'beat', workerId: worker.id, session: worker.session, executions, isPaused: false, slotsFree: Math.max(0, worker.slots - own.length), gpusHeld: [] };
}

function noteOf(chance: Chance): { note?: string } {
  return chance.isTrue(0.5) ? { note: 'new disk' } : {};
}

/** Mostly none; now and then one the worker does not even have. */
function gpusOf(chance: Chance): number[] {
  return chance.isTrue(0.2) ? [chance.whole(0, 2)] : [];
}

/** Its process may still be there, and nobody was given the job since. */
function mayComeBack(rows: Slice, attempt: AttemptFacts): boolean {
  const job = rows.jobs.get(attempt.jobId);
  return attempt.outcome === 'lost' && job?.finishedMs === null && job.epoch === attempt.epoch;
}

function honestHello(rows: Slice, worker: WorkerFacts): ServerCommand {
  const beat = honestBeat(rows, worker);
  const executions = 'executions' in beat ? beat.executions : [];
  return { type: 'hello', workerId: worker.id, session: worker.session, instanceId: worker.instanceId ?? '0000000001-a', slots: worker.slots, executions, gpusHeld: [] };
}

/** Mostly the worker and the term that the attempt really has. */
function speaker(rows: Slice, chance: Chance): AttemptRef & { workerId: WorkerId; session: number } {
  const attempt = anyAttempt(rows, chance);
  const own = attempt && rows.workers.get(attempt.workerId);
  const worker = own !== undefined && chance.isTrue(0.85) ? own : anyWorker(rows, chance);
  return { workerId: idOf(worker), session: sessionOf(worker, chance), ...refOf(attempt, chance) };
}

function reportsOf(rows: Slice, worker: WorkerFacts | undefined, chance: Chance): ExecutionReport[] {
  const own = [...rows.attempts.values()].filter((attempt) => attempt.workerId === worker?.id || chance.isTrue(0.03));
  const newestFirst = own.reverse().slice(0, 6);
  const listed = newestFirst.filter(() => chance.isTrue(0.7)).map((attempt) => ({ ...refOf(attempt, chance), state: chance.pick(EXECUTION_STATES) }));
  if (chance.isTrue(0.1)) listed.push({ attemptId: UNKNOWN_ATTEMPT, epoch: 1, state: 'running' });
  return listed;
}

function refOf(attempt: AttemptFacts | undefined, chance: Chance): AttemptRef {
  if (attempt === undefined) return { attemptId: UNKNOWN_ATTEMPT, epoch: 1 };
  return { attemptId: attempt.id, epoch: attempt.epoch + (chance.isTrue(0.9) ? 0 : chance.pick([-1, 1])) };
}

function sessionOf(worker: WorkerFacts | undefined, chance: Chance): number {
  return (worker?.session ?? 1) + (chance.isTrue(0.85) ? 0 : chance.pick([-1, 1]));
}

/** One that still moves, more often than not: most of all attempts have ended long ago. */
function anyAttempt(rows: Slice, chance: Chance): AttemptFacts | undefined {
  const all = [...rows.attempts.values()];
  const wanted = chance.isTrue(0.7) ? all.filter((attempt) => rows.jobs.get(attempt.jobId)?.finishedMs === null) : all;
  return wanted.length === 0 || chance.isTrue(0.03) ? undefined : chance.pick(wanted);
}

function anyJobId(rows: Slice, chance: Chance): JobId {
  const all = [...rows.jobs.values()];
  const open = all.filter((job) => job.finishedMs === null);
  const wanted = open.length > 0 && chance.isTrue(0.7) ? open : all;
  return wanted.length === 0 || chance.isTrue(0.05) ? UNKNOWN_JOB : chance.pick(wanted).id;
}

/** Often one whose worker does not answer, if there is any: it alone can be given up. */
function strandedJobId(rows: Slice, chance: Chance): JobId {
  const stranded = [...rows.attempts.values()].filter(({ state, workerId }) => state !== 'ended' && rows.workers.get(workerId)?.link === 'unreachable');
  return stranded.length > 0 && chance.isTrue(0.6) ? chance.pick(stranded).jobId : anyJobId(rows, chance);
}

function anyWorker(rows: Slice, chance: Chance): WorkerFacts | undefined {
  return chance.isTrue(0.03) ? undefined : chance.pick([...rows.workers.values()]);
}

function idOf(worker: WorkerFacts | undefined): WorkerId {
  return worker?.id ?? UNKNOWN_WORKER;
}
