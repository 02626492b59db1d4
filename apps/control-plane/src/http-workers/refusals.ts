import type { SenderRefused } from '@muster/domain';
import { notFound, Refusal, unknownWorker } from '../http/refusal.js';
import { WAITING_PER_WORKER_MAX } from './waiting-claims.js';
import { TooManyWorkers } from '../worker-life/worker-desk.js';

/** Seconds after which a registration that was one too many may be sent again. */
const REGISTER_AGAIN_SECONDS = 1;
const CLAIM_AGAIN_SECONDS = 1;

/** How a worker over REST is told that it is not, or no longer, heard. */
export function notHeard(reason: SenderRefused['reason'], workerId: string): Refusal {
  switch (reason) {
    case 'superseded':
      return new Refusal('superseded', {
        detail: 'A newer program registered as this worker: what this one says does not count any more.',
        hint: 'End this program, or register again, which supersedes the other.',
      });
    case 'removed':
      return new Refusal('workerRemoved', {
        detail: 'The worker was removed by an operator.',
        hint: 'Register without `workerId` to become a new worker.',
      });
    case 'keyRevoked':
    case 'notSynced':
      return notFound('worker', workerId, 'Register again with `POST /api/v1/workers/register`: the key it came with was revoked, or the database forgot its last moments.');
  }
}

/** As `notHeard`, for a program that just comes. */
export function notRegistered(reason: SenderRefused['reason']): Refusal {
  if (reason !== 'keyRevoked') return notHeard(reason, '');
  return new Refusal('unauthenticated', { detail: 'The key was refused.', hint: 'It was revoked; ask an admin for another.' });
}

/** Floods of machines that nobody knew. */
export function tooManyRegistrations(error: unknown): Refusal {
  if (!(error instanceof TooManyWorkers)) throw error;
  return new Refusal('tooManyRequests', { detail: error.message, hint: 'Workers that are known already are never held up.', retryAfterSeconds: REGISTER_AGAIN_SECONDS });
}

export function tooManyClaims(): Refusal {
  return new Refusal('tooManyRequests', {
    detail: `${WAITING_PER_WORKER_MAX} requests of this worker wait for a job already.`,
    hint: 'Ask once for each free slot, and wait for the answer.',
    retryAfterSeconds: CLAIM_AGAIN_SECONDS,
  });
}

export function noSuchWorker(workerId: string): Refusal {
  const { detail } = unknownWorker(workerId).parts;
  return new Refusal('notFound', { detail, hint: 'Register again with `POST /api/v1/workers/register`.' });
}

export function noSuchAttempt(attemptId: string): Refusal {
  return notFound('attempt', attemptId, 'Attempts are named by the answer to a claim.');
}
