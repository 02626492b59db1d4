/** How an attempt ends and what its job does then. Every ending of the control plane's own making, and every reported one, passes here. */
import type { Exit, JobReason } from '@muster/protocol';
import type { AttemptFacts, JobFacts } from '../facts.js';
import { decideRetry } from '../retry.js';
import type { RetryCause, RetryVerdict } from '../retry.js';
import type { Draft } from './draft.js';

type Ending = Pick<AttemptFacts, 'outcome' | 'detail'> & Partial<Pick<AttemptFacts, 'exit' | 'usage' | 'containment' | 'leftovers' | 'proofs'>>;

/** Ends the attempt. Its lease is over with it. */
export function endAttempt(draft: Draft, attempt: AttemptFacts, ending: Ending): AttemptFacts {
  return draft.putAttempt({ ...attempt, ...ending, state: 'ended', leaseUntilMs: null, endedMs: draft.context.nowMs });
}

/** Makes the job final. Its epoch stays: nobody is granted it any more. */
export function finishJob(
  draft: Draft,
  job: JobFacts,
  ending: { readonly status: 'completed' | 'failed' | 'cancelled'; readonly reason: JobReason; readonly detail: string | null; readonly exit?: Exit | null; readonly actor?: string },
): JobFacts {
  draft.jobEvent(`job.${ending.status}`, job.id, {
    attemptId: job.currentAttemptId,
    data: { reason: ending.reason, detail: ending.detail },
    ...(ending.actor === undefined ? {} : { actor: ending.actor }),
  });
  return draft.putJob({
    ...job,
    status: ending.status,
    reason: ending.reason,
    reasonDetail: ending.detail,
    currentAttemptId: null,
    notBeforeMs: null,
    finishedMs: draft.context.nowMs,
    exit: ending.exit ?? null,
  });
}

/** Puts the job back in line; one that people paused is held back from it until they resume it. */
export function requeueJob(
  draft: Draft,
  job: JobFacts,
  ending: { readonly reason: JobReason; readonly detail: string | null; readonly backoffMs?: number; readonly actor?: string },
): JobFacts {
  const backoffMs = ending.backoffMs ?? 0;
  draft.jobEvent('job.requeued', job.id, {
    attemptId: job.currentAttemptId,
    data: { reason: ending.reason, detail: ending.detail, backoffMs },
    ...(ending.actor === undefined ? {} : { actor: ending.actor }),
  });
  const isHeld = job.desired === 'pause';
  if (isHeld && job.status !== 'paused') draft.jobEvent('job.paused', job.id, { attemptId: job.currentAttemptId, data: { reason: 'held' } });
  return draft.putJob({
    ...job,
    status: isHeld ? 'paused' : 'queued',
    reason: isHeld ? 'held' : ending.reason,
    reasonDetail: ending.detail,
    currentAttemptId: null,
    notBeforeMs: backoffMs > 0 ? draft.context.nowMs + backoffMs : null,
  });
}

/** Asks the retry policy and follows it. Says in the log of the attempt what was decided. */
export function retryOrFail(
  draft: Draft,
  job: JobFacts,
  attempt: AttemptFacts,
  cause: RetryCause,
  ending: { readonly detail: string | null; readonly exit?: Exit | null },
): RetryVerdict {
  const verdict = decideRetry(job, cause, draft.context.jitter);
  const spent = { ...job, ...verdict.tries };
  if (verdict.kind === 'again') {
    requeueJob(draft, spent, { reason: verdict.reason, detail: ending.detail, backoffMs: verdict.backoffMs });
    const words = job.desired === 'pause' ? 'The job is paused, and held until it is resumed' : `The job goes back to the queue${backoffWords(verdict.backoffMs)}`;
    if (cause.kind !== 'refused') draft.say(attempt, `${words}.`);
  } else {
    finishJob(draft, spent, { status: 'failed', reason: verdict.reason, detail: ending.detail, exit: ending.exit ?? null });
  }
  return verdict;
}

/**
 * Nobody can say how the attempt ended. The epoch is left as it is when the process may still come back and be taken
 * on again (`mayReturn`), and burned when it cannot.
 */
export function loseAttempt(draft: Draft, job: JobFacts, attempt: AttemptFacts, detail: string, mayReturn: boolean): void {
  const wasRunning = attempt.state === 'running' || attempt.state === 'paused';
  const ended = endAttempt(draft, attempt, { outcome: 'lost', detail });
  draft.say(ended, `${detail}. The attempt is given up as lost.`);
  const held = mayReturn ? job : { ...job, epoch: job.epoch + 1 };
  if (job.desired === 'cancel') {
    finishJob(draft, held, { status: 'cancelled', reason: 'cancelledByUser', detail: `${detail}; its process may still be running there` });
  } else {
    retryOrFail(draft, held, ended, { kind: 'lost', wasRunning }, { detail });
  }
}

/** The offer was declined or not answered, or the start was given back before a process began: free of charge. */
export function returnOffer(draft: Draft, job: JobFacts, attempt: AttemptFacts, detail: string): void {
  const ended = endAttempt(draft, attempt, { outcome: 'refused', detail });
  draft.jobEvent('job.refused', job.id, { attemptId: attempt.id, workerId: attempt.workerId, data: { detail } });
  const burned = { ...job, epoch: job.epoch + 1 };
  if (job.desired === 'cancel') {
    finishJob(draft, burned, { status: 'cancelled', reason: 'cancelledByUser', detail: null });
  } else {
    retryOrFail(draft, burned, ended, { kind: 'refused' }, { detail });
  }
}

function backoffWords(backoffMs: number): string {
  return backoffMs > 0 ? `; it is tried again after ${Math.ceil(backoffMs / 1_000)} s` : '';
}
