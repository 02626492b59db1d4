/**
 * Whose word counts for it that an exclusive attempt has no process. A state directory can be copied (a cloned machine, a
 * restored snapshot), and the newer of two agents that are one worker then reads a disk on which the process of the other
 * never began, or is gone. The process itself cannot be copied that way: who names it alive has it.
 */
import type { Outcome } from '@muster/protocol';
import type { AttemptFacts, JobFacts } from '../facts.js';

/**
 * True when this start of the agent was granted the attempt or has named its process since, and where it does not matter:
 * only an exclusive job must not run twice, and only after its start was granted anybody can have begun it.
 */
export function isWitness(job: Pick<JobFacts, 'spec'>, attempt: Pick<AttemptFacts, 'grantedSession'>, session: number): boolean {
  return !job.spec.disconnect.exclusive || attempt.grantedSession === null || attempt.grantedSession === session;
}

/**
 * True for an end that says no more than that there is no process on this disk's machine: it never began, or nobody knows what
 * became of it. Every other end was written down when the process ended, and stays true on a copy.
 */
export function isAbsence(end: { readonly outcome: Outcome; readonly ranMs: number | null }): boolean {
  return end.outcome === 'refused' || end.outcome === 'lost' || (end.outcome === 'cancelled' && end.ranMs === null);
}
