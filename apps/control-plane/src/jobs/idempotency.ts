/**
 * Remembers for 24 hours what a submission with an `Idempotency-Key` made, in the same transaction that made it: a
 * request that is sent twice, at the same time or after a crash, is carried out once or not at all.
 */
import type { JobId } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { invalidRequest, Refusal } from '../http/refusal.js';
import { IDEMPOTENCY_ADD, IDEMPOTENCY_TAKE } from './jobs.sql.js';

export interface IdempotencyClaim {
  readonly owner: string;
  readonly key: string;
  /** Digest of what was asked for, in which the order of names makes no difference. */
  readonly requestHash: string;
}

const KEY_FORM = /^[\x21-\x7e]{1,200}$/;

/** The header's value, if it was sent. */
export function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined || KEY_FORM.test(header)) return header;
  const detail = 'Expected 1 to 200 visible ASCII characters in the header Idempotency-Key, for example a UUID.';
  throw invalidRequest([{ pointer: '', detail }]);
}

interface TakenRow {
  readonly is_mine: boolean;
  readonly request_hash: string | null;
  readonly response: { readonly jobIds: readonly JobId[] } | null;
}

/** What the first request made; null when this is the first. The key stays taken until the transaction ends. */
export async function findEarlier(connection: Connection, claim: IdempotencyClaim): Promise<readonly JobId[] | null> {
  const [found] = await connection.query<TakenRow>(IDEMPOTENCY_TAKE, [claim.owner, claim.key]);
  if (found?.is_mine !== true) throw inProgress();
  if (found.response === null) return null;
  if (found.request_hash === claim.requestHash) return found.response.jobIds;
  throw new Refusal('idempotencyConflict', {
    detail: 'This Idempotency-Key was used with another body.',
    hint: 'Use a fresh key for every new submission; the same one only to send the very same request again.',
  });
}

/** Throws, and with it undoes the jobs, when another request with this key was committed at the last moment. */
export async function remember(connection: Connection, claim: IdempotencyClaim, jobIds: readonly JobId[]): Promise<void> {
  const stored = await connection.execute(IDEMPOTENCY_ADD, [claim.owner, claim.key, claim.requestHash, JSON.stringify({ jobIds })]);
  if (stored === 0) throw inProgress();
}

function inProgress(): Refusal {
  return new Refusal('idempotencyInProgress', {
    detail: 'A request with this Idempotency-Key is being carried out.',
    hint: 'Wait a second and send it again; it is then answered with what the first one made.',
    retryAfterSeconds: 1,
  });
}
