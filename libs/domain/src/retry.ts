/** Whether a job is tried again. Each cause has its own budget; `never` is checked here and nowhere else. */
import type { Exit, JobReason, Outcome, RetryPolicy } from '@muster/protocol';
import type { JobFacts } from './facts.js';

/** Losses while it was running there that make a job suspect of killing its workers. */
export const POISON_LOSSES = 3;
/** Offers of one job that may be declined before the next is delayed. */
export const FREE_REFUSALS = 10;
/** No backoff grows beyond this, unless the policy's own first one is longer. */
export const BACKOFF_MS_MAX = 300_000;

/** Tries spent, by the cause that spent them. */
export type Tries = Pick<JobFacts, 'failures' | 'losses' | 'refusals' | 'lossesWhileRunning'>;

export type RetryCause =
  /** Declined, or never answered; nothing ran. */
  | { readonly kind: 'refused' }
  /** A planned stop of the worker. */
  | { readonly kind: 'stopped' }
  /** Nobody can say how it ended. `wasRunning`: a process was there. */
  | { readonly kind: 'lost'; readonly wasRunning: boolean }
  /** It ended, and not well. */
  | { readonly kind: 'failure'; readonly outcome: Outcome; readonly exit: Exit | null };

export type RetryVerdict =
  | { readonly kind: 'again'; readonly reason: JobReason; readonly backoffMs: number; readonly tries: Tries }
  | { readonly kind: 'fail'; readonly reason: JobReason; readonly tries: Tries };

/** @param jitter 0 to 1: the backoff lies between half of the full one and all of it */
export function decideRetry(job: Tries & Pick<JobFacts, 'spec'>, cause: RetryCause, jitter: number): RetryVerdict {
  const { retry, disconnect } = job.spec;
  const tries = spend(job, cause);
  const again = (reason: JobReason, backoffMs: number): RetryVerdict => ({ kind: 'again', reason, backoffMs, tries });
  const fail = (reason: JobReason): RetryVerdict => ({ kind: 'fail', reason, tries });
  const later = (nth: number): RetryVerdict => again('backoff', nthBackoffMs(nth, retry.backoffSeconds, jitter));

  switch (cause.kind) {
    case 'refused':
      return tries.refusals <= FREE_REFUSALS ? again('waiting', 0) : later(tries.refusals - FREE_REFUSALS);
    case 'stopped':
      return retry.never === true ? fail('workerStopped') : again('workerStopped', 0);
    case 'lost':
      if (tries.lossesWhileRunning >= POISON_LOSSES) return fail('poisonJob');
      if (retry.never === true || disconnect.onWorkerLost === 'fail') return fail('workerLost');
      return tries.losses <= retry.onWorkerLost ? later(tries.losses) : fail('workerLost');
    case 'failure':
      return isRetried(retry, tries, cause) ? later(tries.failures) : fail(failureReason(cause.outcome, cause.exit));
  }
}

/**
 * Takes back what a loss cost, once it turns out that the attempt was not lost.
 *
 * @param was what the lost attempt was doing. Where nobody remembers, only as many losses while running are taken back as
 *   there must have been among all: rather one too many than a job that kills its workers for ever.
 */
export function withoutLoss(tries: Tries, was: 'running' | 'forgotten'): Tries {
  const losses = Math.max(0, tries.losses - 1);
  const { failures, refusals, lossesWhileRunning } = tries;
  return {
    failures,
    refusals,
    losses,
    lossesWhileRunning: was === 'running' ? Math.max(0, lossesWhileRunning - 1) : Math.min(lossesWhileRunning, losses),
  };
}

/** The wait before the `nth` try after the first of one cause, in milliseconds: doubles, with jitter, up to a ceiling. */
export function nthBackoffMs(nth: number, firstSeconds: number, jitter: number): number {
  const firstMs = firstSeconds * 1_000;
  const fullMs = Math.min(firstMs * 2 ** Math.min(nth - 1, 30), Math.max(BACKOFF_MS_MAX, firstMs));
  return Math.round(fullMs * (0.5 + jitter / 2));
}

/** The job's reason when an attempt that ended like this was its last. */
export function failureReason(outcome: Outcome, exit: Exit | null): JobReason {
  switch (outcome) {
    case 'timedOut':
    case 'outOfMemory':
    case 'spawnFailed':
    case 'inputFailed':
    case 'unkillable':
      return outcome;
    case 'lost':
      return 'workerLost';
    case 'stopped':
      return 'workerStopped';
    case 'succeeded':
    case 'checkpointed':
      return outcome;
    case 'cancelled':
      return 'cancelledByUser';
    case 'failed':
    case 'refused':
    case 'superseded':
      return exit?.signal != null && exit.code === null ? 'signalled' : 'nonZeroExit';
  }
}

function spend(job: Tries, cause: RetryCause): Tries {
  const { failures, losses, refusals, lossesWhileRunning } = job;
  switch (cause.kind) {
    case 'refused':
      return { failures, losses, refusals: refusals + 1, lossesWhileRunning };
    case 'stopped':
      return { failures, losses, refusals, lossesWhileRunning };
    case 'lost':
      return { failures, losses: losses + 1, refusals, lossesWhileRunning: lossesWhileRunning + (cause.wasRunning ? 1 : 0) };
    case 'failure':
      return { failures: failures + 1, losses, refusals, lossesWhileRunning };
  }
}

function isRetried(retry: RetryPolicy, tries: Tries, cause: { readonly outcome: Outcome; readonly exit: Exit | null }): boolean {
  if (retry.never === true || tries.failures > retry.onFailure) return false;
  // Its process is still there: another copy beside it is nobody's wish.
  if (cause.outcome === 'unkillable') return false;
  return retry.exitCodes === undefined || (cause.exit?.code != null && retry.exitCodes.includes(cause.exit.code));
}
