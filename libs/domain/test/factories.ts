/** Rows that are valid by default; a test states only the fact it is about. */
import type { AttemptId, JobId, JobSpec, WorkerId } from '@muster/protocol';
import { applyDecision, serverStep, toJobSpec } from '../src/index.js';
import type { AttemptFacts, JobFacts, ReplyOf, ServerCommand, ServerContext, ServerDecision, Slice, SubmittedJob, WorkerFacts, WorkerProfile } from '../src/index.js';

export const NOW_MS = 1_700_000_000_000;
export const W_MS = 60_000;
export const JOB = 'job_1' as JobId;
export const ATTEMPT = 'att_1' as AttemptId;
export const WORKER = 'wkr_1' as WorkerId;

export function aSpec(submitted: Partial<SubmittedJob> = {}): JobSpec {
  const result = toJobSpec({ run: { command: ['true'] }, ...submitted }, W_MS);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.spec;
}

export function aJob(facts: Partial<JobFacts> = {}): JobFacts {
  const queueSeconds = facts.spec?.limits.queueSeconds;
  return {
    id: JOB, owner: 'ada', spec: aSpec(), status: 'queued', desired: 'run', force: false, reason: 'waiting', reasonDetail: null, priority: 0,
    epoch: 0, attemptCount: 0, currentAttemptId: null, failures: 0, losses: 0, refusals: 0, lossesWhileRunning: 0, notBeforeMs: null,
    queueUntilMs: queueSeconds === undefined ? null : NOW_MS + queueSeconds * 1_000, createdMs: NOW_MS, startedMs: null, finishedMs: null, exit: null, ...facts,
  };
}

export function anAttempt(facts: Partial<AttemptFacts> = {}): AttemptFacts {
  return {
    id: ATTEMPT, jobId: JOB, workerId: WORKER, number: 1, epoch: 1, state: 'offered', outcome: null, exit: null, detail: null, gpus: [],
    leaseUntilMs: NOW_MS + 15_000, offeredMs: NOW_MS, startedMs: null, endedMs: null, containment: null, usage: null, leftovers: 0,
    logId: facts.id ?? ATTEMPT, proofs: {}, grantedSession: null, ...facts,
  };
}

export function aWorker(facts: Partial<WorkerFacts> = {}): WorkerFacts {
  return {
    id: WORKER, name: 'anvil', owner: 'ada', session: 1, instanceId: '0000000001-a', slots: 2, slotsUsable: 2, slotsOrdered: null, slotsSaid: 2, gpusHeld: [], isPaused: false, maintenance: null, link: 'connected',
    lastBeatMs: NOW_MS, isFenced: false, isRemoved: false, ...facts,
  };
}

export function aProfile(facts: Partial<WorkerProfile> = {}): WorkerProfile {
  return {
    name: 'anvil', capability: 'cpu', contentTypes: ['text'], labels: {}, cpuCores: 8, memoryMb: 16_000, gpus: [], containment: ['group'],
    runKinds: ['command', 'shell'], ...facts,
  };
}

export function aSlice(rows: { jobs?: JobFacts[]; attempts?: AttemptFacts[]; workers?: WorkerFacts[] } = {}): Slice {
  return {
    jobs: new Map((rows.jobs ?? []).map((row) => [row.id, row])),
    attempts: new Map((rows.attempts ?? []).map((row) => [row.id, row])),
    workers: new Map((rows.workers ?? []).map((row) => [row.id, row])),
  };
}

/** A job that runs on the worker in its first attempt, epoch 1. */
export function aRunningSlice(facts: { job?: Partial<JobFacts>; attempt?: Partial<AttemptFacts>; worker?: Partial<WorkerFacts> } = {}): Slice {
  const job = aJob({ status: 'running', reason: 'running', epoch: 1, attemptCount: 1, currentAttemptId: ATTEMPT, startedMs: NOW_MS, ...facts.job });
  const attempt = anAttempt({ state: 'running', startedMs: NOW_MS, leaseUntilMs: NOW_MS + 360_000, ...facts.attempt });
  return aSlice({ jobs: [job], attempts: [attempt], workers: [aWorker(facts.worker)] });
}

export function aContext(facts: Partial<ServerContext> = {}): ServerContext {
  const newAttemptIds = ['att_8', 'att_9'] as AttemptId[];
  return { nowMs: NOW_MS, workerTimeoutMs: W_MS, beatIntervalMs: 10_000, offerTtlMs: 15_000, newAttemptIds, jitter: 1, ...facts };
}

export interface Stepped<Command extends ServerCommand> {
  readonly decision: ServerDecision<ReplyOf<Command>>;
  readonly reply: ReplyOf<Command>;
  readonly after: Slice;
  readonly job: JobFacts | undefined;
  readonly attempt: AttemptFacts | undefined;
}

/** Decides and applies; `job` and `attempt` are the ones every factory makes by default. */
export function step<Command extends ServerCommand>(slice: Slice, command: Command, context: Partial<ServerContext> = {}): Stepped<Command> {
  const decision = serverStep(slice, command, aContext(context));
  const after = applyDecision(slice, decision);
  return { decision, reply: decision.reply, after, job: after.jobs.get(JOB), attempt: after.attempts.get(ATTEMPT) };
}
