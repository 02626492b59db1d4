/**
 * Remembers for 24 hours what a submission with an `Idempotency-Key` made, in the same transaction that made it: a
 * request that is sent twice, at the same time or after a crash, is carried out once or not at all.
 */
import type { JobId } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { invalidRequest, Refusal } from '../http/refusal.js';
import { IDEMPOTENCY_ADD, IDEMPOTENCY_FIND, IDEMPOTENCY_TAKE } from './jobs.sql.js';

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

/** What the first request made; null when this is the first. The key stays taken until the transaction ends. */
export async function findEarlier(connection: Connection, claim: IdempotencyClaim): Promise<readonly JobId[] | null> {
  const [lock] = await connection.query<{ taken: boolean }>(IDEMPOTENCY_TAKE, [`${claim.owner}\n${claim.key}`]);
  if (lock?.taken !== true) {
    throw new Refusal('idempotencyInProgress', {
      detail: 'A request with this Idempotency-Key is being carried out.',
      hint: 'Wait a second and send it again; it is then answered with what the first one made.',
      retryAfterSeconds: 1,
    });
  }
  const [earlier] = await connection.query<{ request_hash: string; response: { jobIds: JobId[] } }>(IDEMPOTENCY_FIND, [claim.owner, claim.key]);
  if (earlier === undefined) return null;
  if (earlier.request_hash === claim.requestHash) return earlier.response.jobIds;
  throw new Refusal('idempotencyConflict', {
    detail: 'This Idempotency-Key was used with another body.',
    hint: 'Use a fresh key for every new submission; the same one only to send the very same request again.',
  });
}

export async function remember(connection: Connection, claim: IdempotencyClaim, jobIds: readonly JobId[]): Promise<void> {
  await connection.execute(IDEMPOTENCY_ADD, [claim.owner, claim.key, claim.requestHash, JSON.stringify({ jobIds })]);
}
