/** How attempts end and what their jobs do then, as docs/lifecycles.md tells it. */
import type { JobReason, Outcome } from '@muster/protocol';
import { LEASE_SECONDS, type Attempt, type Job } from './state.js';

const POISON = 3;
const FREE_REFUSALS = 10;

/** How many tries after the first each policy allows, by what ended the try. */
function triesOf(job: Job): { readonly failures: number; readonly losses: number } {
  return { failures: job.policy === 'tries' ? 1 : 0, losses: job.policy === 'fails' || job.policy === 'never' ? 0 : 3 };
}

/** Length of a started attempt's lease; null: no end. */
function leaseOf(job: Job): number | null {
  return job.policy === 'waits' ? null : LEASE_SECONDS;
}

export function leaseFrom(job: Job, now: number): number | null {
  const length = leaseOf(job);
  return length === null ? null : now + length;
}

/** As answers tell it. */
export function leaseMsOf(job: Job): number | null {
  const length = leaseOf(job);
  return length === null ? null : length * 1_000;
}

export function isLeaseOver(attempt: Attempt, now: number): boolean {
  return attempt.leaseUntil !== null && attempt.leaseUntil <= now;
}

export function finish(job: Job, status: 'completed' | 'failed' | 'cancelled', reason: JobReason, exitCode: number | null = null): void {
  Object.assign(job, { status, reason, exitCode, current: null, backoffUntil: null });
}

/** In line again, at once or after a backoff; a job that people paused is held back from it. */
export function backToQueue(job: Job, when: 'now' | 'later'): void {
  const status = job.desired === 'pause' ? 'paused' : 'queued';
  Object.assign(job, { status, reason: null, current: null, backoffUntil: when === 'later' ? 'untold' : null });
}

export function end(attempt: Attempt, outcome: Outcome, exitCode: number | null = null): void {
  Object.assign(attempt, { state: 'ended', outcome, exitCode, leaseUntil: null });
}

/** Lost by its lease, and nobody was given the job since: its end may still come, or its process go on. */
export function mayReturn(attempt: Attempt): boolean {
  const { job } = attempt;
  const isWaiting = job.status === 'queued' || (job.status === 'paused' && job.current === null);
  return attempt.outcome === 'lost' && isWaiting && job.desired !== 'cancel' && job.epoch === attempt.epoch;
}

/** Whoever says that a job was cancelled which nobody cancelled stopped it for its worker's sake. */
export function meantBy(job: Job, { outcome }: { readonly outcome: Outcome }): Outcome {
  return outcome === 'cancelled' && job.desired !== 'cancel' ? 'stopped' : outcome;
}

/** Says no more than that there is no process; every other end was written down when the process ended. */
export function isAbsence({ outcome }: { readonly outcome: Outcome }): boolean {
  return outcome === 'refused' || outcome === 'lost';
}

/** What a loss cost is taken back when it turns out that there was none. */
export function takeBackLoss(job: Job, wasRunning: boolean): void {
  job.losses -= 1;
  job.lossesWhileRunning = wasRunning ? Math.max(0, job.lossesWhileRunning - 1) : Math.min(job.lossesWhileRunning, job.losses);
}

/** Declined, unanswered, or given back before its process began: free of charge, unless it happens all the time. */
export function giveBack(attempt: Attempt): void {
  const { job } = attempt;
  end(attempt, 'refused');
  job.epoch += 1;
  if (job.desired === 'cancel') return finish(job, 'cancelled', 'cancelledByUser');
  job.refusals += 1;
  backToQueue(job, job.refusals > FREE_REFUSALS ? 'later' : 'now');
}

/** Nobody can say how it ended. */
export function lose(attempt: Attempt, canComeBack: boolean): void {
  const { job } = attempt;
  const wasRunning = attempt.state === 'running' || attempt.state === 'paused';
  end(attempt, 'lost');
  if (!canComeBack) job.epoch += 1;
  if (job.desired === 'cancel') return finish(job, 'cancelled', 'cancelledByUser');
  afterLoss(job, wasRunning);
}

export function afterLoss(job: Job, wasRunning: boolean, exitCode: number | null = null): void {
  job.losses += 1;
  if (wasRunning) job.lossesWhileRunning += 1;
  if (job.lossesWhileRunning >= POISON) finish(job, 'failed', 'poisonJob', exitCode);
  else if (job.losses > triesOf(job).losses) finish(job, 'failed', 'workerLost', exitCode);
  else backToQueue(job, 'later');
}

export function afterFailure(job: Job, reason: JobReason, exitCode: number | null): void {
  job.failures += 1;
  if (job.failures > triesOf(job).failures) finish(job, 'failed', reason, exitCode);
  else backToQueue(job, 'later');
}

/** The lease is over, whoever notices. */
export function expire(attempt: Attempt): void {
  if (attempt.state === 'offered') giveBack(attempt);
  else lose(attempt, true);
}
