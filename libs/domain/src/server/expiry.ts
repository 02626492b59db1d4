/** What the end of a lease does, whoever notices it: the sweeper, or a beat that came too late. */
import type { AttemptFacts, JobFacts } from '../facts.js';
import type { Draft } from './draft.js';
import { loseAttempt, returnOffer } from './endings.js';

export function expireLease(draft: Draft, job: JobFacts, attempt: AttemptFacts): void {
  if (attempt.state === 'offered') {
    returnOffer(draft, job, attempt, `worker ${draft.workerName(attempt.workerId)} did not answer the offer`);
  } else {
    loseAttempt(draft, job, attempt, `Worker ${draft.workerName(attempt.workerId)} was silent until the attempt's lease ended`, true);
  }
}
