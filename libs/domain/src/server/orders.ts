/** How what people want reaches the agent that has the attempt, or an offer of it. */
import type { ExecutionState, Outcome } from '@muster/protocol';
import type { AttemptFacts, JobFacts } from '../facts.js';
import type { Draft } from './draft.js';
import { endAttempt } from './endings.js';
import { orderFor } from './wish.js';

/** What the agent of a started attempt would say of it, as far as the rows know. */
export function stateOf(attempt: AttemptFacts): ExecutionState {
  return attempt.state === 'paused' ? 'paused' : attempt.state === 'finalizing' ? 'exited' : 'running';
}

/** Tells the agent at once; every beat repeats it until it shows. */
export function giveOrder(draft: Draft, job: JobFacts, attempt: AttemptFacts): void {
  const order = orderFor(draft.worker(attempt.workerId) ?? { maintenance: null }, job, stateOf(attempt));
  if (order === null) return;
  draft.notify({ kind: 'command', workerId: attempt.workerId, ref: { attemptId: attempt.id, epoch: attempt.epoch }, command: order });
}

/** Ends an offer that was not taken up yet. The job comes back under a burned epoch: nothing of the offer can start any more. */
export function withdrawOffer(
  draft: Draft,
  job: JobFacts,
  attempt: AttemptFacts,
  ending: { readonly outcome: Outcome; readonly detail: string },
): JobFacts {
  endAttempt(draft, attempt, ending);
  draft.notify({ kind: 'withdraw', workerId: attempt.workerId, ref: { attemptId: attempt.id, epoch: attempt.epoch } });
  return { ...job, epoch: job.epoch + 1 };
}
