/** In whose term does a process run that an agent names by an attempt? */
import type { AttemptId, AttemptRef, WorkerId } from '@muster/protocol';
import type { AttemptFacts, JobFacts } from '../facts.js';
import type { Draft } from './draft.js';

/**
 * The attempt a worker's message is about, with its job: the named one, or the newer one that was granted to the same
 * worker to go on with the same process (same log) when the answer that said so did not arrive. Undefined when the worker
 * never held the named attempt in that epoch.
 */
export function termOf(
  draft: Draft,
  worker: { readonly id: WorkerId },
  named: AttemptRef,
): { readonly job: JobFacts; readonly attempt: AttemptFacts } | undefined {
  const attempt = draft.attempt(named.attemptId);
  const job = attempt === undefined ? undefined : draft.job(attempt.jobId);
  if (attempt === undefined || job === undefined || attempt.workerId !== worker.id || attempt.epoch !== named.epoch) return undefined;
  const newest = draft.newestOf(job.id) ?? attempt;
  const goesOn = newest.number > attempt.number && newest.logId === attempt.logId && newest.workerId === attempt.workerId;
  return { job, attempt: goesOn ? newest : attempt };
}

/** The attempts that these messages are about: what the worker says it has. */
export function namedBy(draft: Draft, worker: { readonly id: WorkerId }, refs: readonly AttemptRef[]): ReadonlySet<AttemptId | undefined> {
  return new Set(refs.map((ref) => termOf(draft, worker, ref)?.attempt.id));
}
