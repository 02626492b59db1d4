/** The term of a started attempt, as the control plane counts it: by the database's clock, from the last accepted renewal. */
import { leaseMs } from '@muster/protocol';
import type { AttemptFacts, JobFacts } from '../facts.js';
import type { ServerContext } from './commands.js';

/** Length of a started attempt's lease; null for policy `wait`: it ends with the process or by a person. */
export function leaseLengthMs(job: Pick<JobFacts, 'spec'>, context: Pick<ServerContext, 'workerTimeoutMs'>): number | null {
  if (job.spec.disconnect.onWorkerLost === 'wait') return null;
  return leaseMs(context.workerTimeoutMs, job.spec.disconnect.lostAfterSeconds);
}

/**
 * How long an offer holds that is not answered. A FineTune Lab worker claims a job, loads its model, and only then says that it
 * runs: it has as long as a started one may be silent.
 */
export function offerTermMs({ spec }: Pick<JobFacts, 'spec'>, context: Pick<ServerContext, 'workerTimeoutMs' | 'offerTtlMs'>): number {
  const isTraining = spec.run.external?.kind === 'finetunelab';
  return isTraining ? Math.max(context.offerTtlMs, leaseMs(context.workerTimeoutMs, spec.disconnect.lostAfterSeconds)) : context.offerTtlMs;
}

export function leaseEndMs(lengthMs: number | null, nowMs: number): number | null {
  return lengthMs === null ? null : nowMs + lengthMs;
}

/** Longer than anybody waits for a lock before the database gives up. */
const LOCK_WAIT_MAX_MS = 20_000;

/**
 * Whoever waited long for a lock decides by an older clock than who had it before: what was granted until later stays. What is
 * later by more than such a wait was written by a clock that has been set back since, and counts no more.
 */
export function laterMs(beforeMs: number | null, nowMs: number): number {
  return beforeMs !== null && beforeMs > nowMs && beforeMs <= nowMs + LOCK_WAIT_MAX_MS ? beforeMs : nowMs;
}

export function isLeaseOver(attempt: Pick<AttemptFacts, 'leaseUntilMs'>, nowMs: number): boolean {
  return attempt.leaseUntilMs !== null && attempt.leaseUntilMs <= nowMs;
}
