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

/** What is known of a key: nothing yet, the jobs of the first request, or why it cannot be used now. */
export type Earlier = 'nothing' | { readonly jobIds: readonly JobId[] } | Refusal;

/** In the order of the claims. Keys of which nothing is known stay taken until the transaction ends. */
export async function findEarlier(connection: Connection, claims: readonly IdempotencyClaim[]): Promise<Earlier[]> {
  if (claims.length === 0) return [];
  const found = await connection.query<TakenRow>(IDEMPOTENCY_TAKE, [claims.map(({ owner }) => owner), claims.map(({ key }) => key)]);
  return claims.map((claim, index) => judge(claim, found[index]));
}

function judge(claim: IdempotencyClaim, found: TakenRow | undefined): Earlier {
  if (found?.is_mine !== true) return inProgress();
  if (found.response === null) return 'nothing';
  if (found.request_hash === claim.requestHash) return { jobIds: found.response.jobIds };
  return new Refusal('idempotencyConflict', {
    detail: 'This Idempotency-Key was used with another body.',
    hint: 'Use a fresh key for every new submission; the same one only to send the very same request again.',
  });
}

/** What a claim made. Throws, and with it undoes the jobs, when another request with one of the keys was committed at the last moment. */
export async function remember(connection: Connection, made: readonly { readonly claim: IdempotencyClaim; readonly jobIds: readonly JobId[] }[]): Promise<void> {
  if (made.length === 0) return;
  const stored = await connection.execute(IDEMPOTENCY_ADD, [
    made.map(({ claim }) => claim.owner),
    made.map(({ claim }) => claim.key),
    made.map(({ claim }) => claim.requestHash),
    made.map(({ jobIds }) => JSON.stringify({ jobIds })),
  ]);
  if (stored < made.length) throw inProgress();
}

/** Another request with the same key has not ended. */
export function inProgress(): Refusal {
  return new Refusal('idempotencyInProgress', {
    detail: 'A request with this Idempotency-Key is being carried out.',
    hint: 'Wait a second and send it again; it is then answered with what the first one made.',
    retryAfterSeconds: 1,
  });
}
