/** Every pair of commands that may meet on one job or one worker, with the rows they meet on. */
import { toJobSpec, type AttemptFacts, type JobFacts, type ServerCommand, type Slice, type SubmittedJob, type WorkerFacts } from '@muster/domain';
import type { AttemptId, AttemptRef, ExecutionState, JobId, Outcome, WorkerId } from '@muster/protocol';
import { RACE_MS, type Move, type Race } from './races.js';
import { sliceOf } from './stored-facts.js';

const JOB = 'job_1' as JobId;
const ATTEMPT = 'att_1' as AttemptId;
const ANVIL = 'wkr_1' as WorkerId;
const BELLOWS = 'wkr_2' as WorkerId;
const REF: AttemptRef = { attemptId: ATTEMPT, epoch: 1 };

function aJob(facts: Partial<JobFacts> = {}, submitted: Partial<SubmittedJob> = {}): JobFacts {
  const result = toJobSpec({ run: { command: ['true'] }, retry: { onFailure: 1, backoffSeconds: 0 }, ...submitted }, 60_000);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return {
    id: JOB, owner: 'ada', spec: result.spec, status: 'queued', desired: 'run', force: false, reason: 'waiting', reasonDetail: null, priority: 0,
    epoch: 0, attemptCount: 0, currentAttemptId: null, failures: 0, losses: 0, refusals: 0, lossesWhileRunning: 0, notBeforeMs: null,
    queueUntilMs: null, createdMs: RACE_MS - 90_000, startedMs: null, finishedMs: null, exit: null, ...facts,
  };
}

function anAttempt(facts: Partial<AttemptFacts>): AttemptFacts {
  return {
    id: ATTEMPT, jobId: JOB, workerId: ANVIL, number: 1, epoch: 1, state: 'offered', outcome: null, exit: null, detail: null, gpus: [],
    leaseUntilMs: RACE_MS + 10_000, offeredMs: RACE_MS - 5_000, startedMs: null, endedMs: null, containment: null, usage: null, leftovers: 0,
    logId: ATTEMPT, proofs: {}, grantedSession: null, ...facts,
  };
}

function aWorker(id: WorkerId, facts: Partial<WorkerFacts> = {}): WorkerFacts {
  return {
    id, name: id, owner: 'team', session: 2, instanceId: '0000000002-a', slots: 1, slotsUsable: 1, gpusHeld: [], slotsOrdered: null, slotsSaid: null, isPaused: false, maintenance: null, link: 'connected',
    lastBeatMs: RACE_MS - 1_000, isFenced: false, isRemoved: false, ...facts,
  };
}

const held = { epoch: 1, attemptCount: 1, currentAttemptId: ATTEMPT } as const;
const workersWith = (facts: Partial<WorkerFacts>): WorkerFacts[] => [aWorker(ANVIL, facts), aWorker(BELLOWS)];

function queued(): Slice {
  return sliceOf([aJob()], [], workersWith({}));
}
function offered(attempt: Partial<AttemptFacts> = {}): Slice {
  return sliceOf([aJob({ ...held, status: 'assigned', reason: 'offered' })], [anAttempt(attempt)], workersWith({}));
}
function running(attempt: Partial<AttemptFacts> = {}, worker: Partial<WorkerFacts> = {}, job: Partial<JobFacts> = {}): Slice {
  const startedMs = RACE_MS - 4_000;
  const facts: Partial<JobFacts> = { ...held, status: 'running', reason: 'running', startedMs, ...job };
  return sliceOf([aJob(facts)], [anAttempt({ state: 'running', startedMs, leaseUntilMs: RACE_MS + 300_000, ...attempt })], workersWith(worker));
}
/** Granted to the start of the agent that beats: its beat only renews. */
function renewing(attempt: Partial<AttemptFacts> = {}, worker: Partial<WorkerFacts> = {}): Slice {
  return running({ grantedSession: 2, ...attempt }, worker);
}
/** Lost by its lease, its process still there, and nobody else has the job yet. */
function lost(): Slice {
  const attempt = anAttempt({ state: 'ended', outcome: 'lost', startedMs: RACE_MS - 80_000, endedMs: RACE_MS - 1_000, leaseUntilMs: null });
  return sliceOf([aJob({ epoch: 1, attemptCount: 1, losses: 1, lossesWhileRunning: 1, startedMs: RACE_MS - 80_000 })], [attempt], workersWith({}));
}

const from = { workerId: ANVIL, session: 2 } as const;
const by = { jobId: JOB, actor: 'ada' } as const;
const does = (command: ServerCommand): Move => ({ command });
const claims = (...claimFor: WorkerId[]): Move => ({ claimFor });
const cancels = (force = false): Move => does({ type: 'cancel', ...by, force });
const ofAnvil = { workerId: ANVIL, actor: 'olga' } as const;
const drains = (deadlineSeconds: number): Move => does({ type: 'drain', ...ofAnvil, policy: 'requeue', deadlineSeconds });
const removes = does({ type: 'removeWorker', ...ofAnvil, force: true });
const pauses = does({ type: 'pause', ...by });
const starts = does({ type: 'start', ...from, ...REF });
const refuses = does({ type: 'refuse', ...from, ...REF, reason: 'noSlot' });
const sweeps = does({ type: 'sweepAttempt', attemptId: ATTEMPT });
const ends = (outcome: Outcome): Move =>
  does({
    type: 'end', ...from, ...REF, outcome, exit: { code: outcome === 'succeeded' ? 0 : 1, signal: null }, detail: null, leftovers: 0, logs: {},
    usage: { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null }, containment: 'group', ranMs: 10,
  });
const beats = (state: ExecutionState | null, session = 2): Move =>
  does({ type: 'beat', workerId: ANVIL, session, executions: state === null ? [] : [{ ...REF, state }], isPaused: false, slotsFree: 0, gpusHeld: [] });
const hellos = (instance: number, session: number, state: ExecutionState | null = null): Move =>
  does({
    type: 'hello', workerId: ANVIL, session, instanceId: `000000000${instance}-a`, slots: 1, executions: state === null ? [] : [{ ...REF, state }], gpusHeld: [],
  });

/** Its deadline has passed, and nobody has noticed yet. */
const draining = {
  maintenance: {
    kind: 'drain', policy: 'requeue', reason: null, by: 'olga', startedMs: RACE_MS - 9_000, deadlineMs: RACE_MS - 1, isOverdue: false, jobsAtStart: 1, drainedMs: null,
  },
} as const satisfies Partial<WorkerFacts>;
const over = { leaseUntilMs: RACE_MS - 1 } as const;
const away = { link: 'unreachable', lastBeatMs: RACE_MS - 70_000 } as const;

export const RACES: readonly Race[] = [
  { name: 'a claim and a cancel', rows: queued(), moves: [claims(ANVIL), cancels()] },
  { name: 'a claim and a pause', rows: queued(), moves: [claims(ANVIL), pauses] },
  { name: 'two claims for two workers', rows: queued(), moves: [claims(ANVIL), claims(BELLOWS)] },
  { name: 'two claims for one worker', rows: queued(), moves: [claims(ANVIL), claims(ANVIL)] },
  { name: 'a claim and the return of a lost process', rows: lost(), moves: [claims(BELLOWS), beats('running')] },
  { name: 'a claim and the late end of a lost attempt', rows: lost(), moves: [claims(BELLOWS), ends('succeeded')] },
  { name: 'a claim and a hello', rows: queued(), moves: [claims(ANVIL), hellos(3, 0)] },
  { name: 'a start and a cancel', rows: offered(), moves: [starts, cancels()] },
  { name: 'a start and a pause', rows: offered(), moves: [starts, pauses] },
  { name: 'a start and the sweep of its offer', rows: offered(over), moves: [starts, sweeps] },
  { name: 'a start and a newer hello', rows: offered(), moves: [starts, hellos(3, 0)] },
  { name: 'a refusal and a cancel', rows: offered(), moves: [refuses, cancels()] },
  { name: 'a refusal and the sweep of its offer', rows: offered(over), moves: [refuses, sweeps] },
  { name: 'two starts', rows: offered(), moves: [starts, starts] },
  { name: 'an end and the sweep of its lease', rows: running(over), moves: [ends('failed'), sweeps] },
  { name: 'a beat and the sweep of its lease', rows: running(over), moves: [beats('running'), sweeps] },
  { name: 'two sweeps', rows: running(over), moves: [sweeps, sweeps] },
  { name: 'an end and a cancel', rows: running(), moves: [ends('succeeded'), cancels(true)] },
  { name: 'an end and a pause', rows: running(), moves: [ends('failed'), pauses] },
  { name: 'two ends', rows: running(), moves: [ends('succeeded'), ends('failed')] },
  { name: 'an end and a beat', rows: running(), moves: [ends('succeeded'), beats('running')] },
  { name: 'two cancels', rows: running(), moves: [cancels(), cancels(true)] },
  { name: 'a pause and a beat that says it is paused', rows: running(), moves: [pauses, beats('paused')] },
  { name: 'a requeue and a late end', rows: running({}, away), moves: [does({ type: 'requeue', ...by }), ends('succeeded')] },
  { name: 'an abandon and a late end', rows: running({}, away), moves: [does({ type: 'abandon', ...by }), ends('failed')] },
  // A person's command reads the worker without its lock: that of the job must do.
  { name: 'a requeue and the hello of its worker', rows: running({}, away), moves: [does({ type: 'requeue', ...by }), hellos(2, 2, 'running')] },
  { name: 'an abandon and a beat of its worker', rows: running({}, away), moves: [does({ type: 'abandon', ...by }), beats('running')] },
  { name: 'a hello and a beat of the older session', rows: running(), moves: [hellos(3, 0), beats('running')] },
  { name: 'a hello and an end of the older session', rows: running(), moves: [hellos(3, 0), ends('succeeded')] },
  { name: 'two hellos', rows: running(), moves: [hellos(3, 0), hellos(4, 0)] },
  { name: 'a beat and a cancel', rows: renewing(), moves: [beats('running'), cancels()] },
  { name: 'a beat and a pause', rows: renewing(), moves: [beats('running'), pauses] },
  { name: 'a renewal and an end', rows: renewing(), moves: [beats('running'), ends('succeeded')] },
  { name: 'a renewal and the sweep of its lease', rows: renewing({ leaseUntilMs: RACE_MS + 1 }), moves: [beats('running'), sweeps] },
  { name: 'a renewal and a newer hello', rows: renewing(), moves: [beats('running'), hellos(3, 0)] },
  { name: 'a renewal and the closing of its socket', rows: renewing(), moves: [beats('running'), does({ type: 'workerLink', workerId: ANVIL, socket: 'closed' })] },
  { name: 'two renewals', rows: renewing(), moves: [beats('running'), beats('running')] },
  { name: 'a claim and a drain', rows: queued(), moves: [claims(ANVIL), drains(60)] },
  { name: 'a claim and a cordon', rows: queued(), moves: [claims(ANVIL), does({ type: 'cordon', ...ofAnvil })] },
  { name: 'a claim and fewer slots', rows: queued(), moves: [claims(ANVIL), does({ type: 'setSlots', ...ofAnvil, slots: 1 })] },
  { name: 'a claim and a removal', rows: queued(), moves: [claims(ANVIL), removes] },
  { name: 'a start and a drain', rows: offered(), moves: [starts, drains(60)] },
  { name: 'a start and a removal', rows: offered(), moves: [starts, removes] },
  { name: 'an end and a drain', rows: running(), moves: [ends('succeeded'), drains(0)] },
  { name: 'an end and the sweep of a drain', rows: running({}, draining), moves: [ends('stopped'), does({ type: 'sweepDrain', workerId: ANVIL })] },
  { name: 'a beat and the sweep of a drain', rows: renewing({}, draining), moves: [beats('running'), does({ type: 'sweepDrain', workerId: ANVIL })] },
  { name: 'a beat and a drain', rows: renewing(), moves: [beats('running'), drains(0)] },
  { name: 'the sweep of a drain and its end', rows: running({}, draining), moves: [does({ type: 'sweepDrain', workerId: ANVIL }), does({ type: 'undrain', ...ofAnvil })] },
  { name: 'two drains', rows: running(), moves: [drains(0), drains(60)] },
  { name: 'a beat and a removal', rows: renewing(), moves: [beats('running'), removes] },
  { name: 'a beat and the closing of its socket', rows: running(), moves: [beats('running'), does({ type: 'workerLink', workerId: ANVIL, socket: 'closed' })] },
  { name: 'a resume and the sweep of its queue limit', rows: sliceOf([heldBack()], [], workersWith({})), moves: [does({ type: 'resume', ...by }), does({ type: 'sweepQueued', jobId: JOB })] },
];

function heldBack(): JobFacts {
  return aJob({ status: 'paused', desired: 'pause', reason: 'held', queueUntilMs: RACE_MS - 1_000 }, { limits: { queueSeconds: 60 } });
}
