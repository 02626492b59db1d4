/** A process that outlived its lease, on a worker that is back before anybody else took the job. */
import type { AttemptRef, ExecutionReport, Verdict } from '@muster/protocol';
import type { AttemptFacts, JobFacts, WorkerFacts } from '../facts.js';
import { withoutLoss } from '../retry.js';
import type { Draft } from './draft.js';
import { leaseEndMs, leaseLengthMs } from './lease.js';
import { shownReason } from './wish.js';

/**
 * The attempt was lost by its lease alone, and since then nobody, agent or person, was given the job: the epoch is
 * still the attempt's. Only then may it end after all, or its process be taken on again. A paused job waits out of line.
 */
export function mayReturn(job: JobFacts, attempt: AttemptFacts): boolean {
  const isFree = job.currentAttemptId === null && (job.status === 'queued' || job.status === 'paused') && job.desired !== 'cancel';
  return attempt.state === 'ended' && attempt.outcome === 'lost' && isFree && job.epoch === attempt.epoch;
}

/**
 * Grants the job to the same worker again, under a new attempt and epoch, without a restart: an ordinary claim, so only
 * into a free slot and onto free GPUs. Exclusive jobs are left alone: their process is dead or about to be killed.
 */
export function reclaim(draft: Draft, worker: WorkerFacts, job: JobFacts, lost: AttemptFacts, report: ExecutionReport): Verdict {
  const ref: AttemptRef = { attemptId: report.attemptId, epoch: report.epoch };
  const id = hasRoom(draft, worker, lost) && !job.spec.disconnect.exclusive ? draft.nextAttemptId() : undefined;
  if (id === undefined) return { kind: 'unleased', ref };

  const { nowMs } = draft.context;
  const lengthMs = leaseLengthMs(job, draft.context);
  const isPaused = report.state === 'paused';
  const epoch = job.epoch + 1;
  const attempt: AttemptFacts = {
    ...lost,
    id,
    number: job.attemptCount + 1,
    epoch,
    state: isPaused ? 'paused' : 'running',
    outcome: null,
    exit: null,
    detail: null,
    leaseUntilMs: leaseEndMs(lengthMs, nowMs),
    offeredMs: nowMs,
    startedMs: nowMs,
    endedMs: null,
    usage: null,
    leftovers: 0,
    proofs: {},
    grantedSession: worker.session,
  };
  draft.putAttempt(attempt);
  draft.putJob({
    ...job,
    ...withoutLoss(job, 'running'),
    status: isPaused ? 'paused' : 'running',
    reason: shownReason(job, isPaused ? 'paused' : 'running'),
    reasonDetail: null,
    epoch,
    attemptCount: attempt.number,
    currentAttemptId: id,
    notBeforeMs: null,
  });
  draft.jobEvent('job.reclaimed', job.id, { attemptId: id, workerId: worker.id, data: { process: lost.id } });
  draft.say(attempt, `Worker ${worker.name} is back with the process still ${isPaused ? 'frozen' : 'running'}: the attempt goes on as number ${attempt.number}.`);
  return { kind: 'reclaimed', ref, attempt: { attemptId: id, epoch }, leaseMs: lengthMs };
}

function hasRoom(draft: Draft, worker: WorkerFacts, lost: AttemptFacts): boolean {
  const live = draft.liveOf(worker.id);
  const taken = new Set(live.flatMap((attempt) => attempt.gpus));
  return live.length < worker.slots && !lost.gpus.some((index) => taken.has(index));
}
