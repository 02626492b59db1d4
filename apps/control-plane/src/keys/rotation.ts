import { randomBytes } from 'node:crypto';
import type { KeyId, Role } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { notFound, Refusal } from '../http/refusal.js';
import { noteKey } from './key-events.js';
import { formatKey, parseKey } from './key-format.js';
import { KEY_ROTATE, KEY_TO_ROTATE, SECRET_RETIRE, SECRETS_BEFORE_SHORTEN, SECRETS_FORGET } from './keys.sql.js';

/** Replaced secrets that may work at once, so that each verification stays one short look. */
const OVERLAPPING_MAX = 4;

interface RotatedRow {
  readonly name: string;
  readonly role: Role;
  readonly owner: string;
  readonly revoked_at: Date | null;
  readonly expires_at: Date | null;
  readonly is_expired: boolean | null;
  readonly overlapping: number;
}

/** Gives the key a new secret and returns it; the caller owns the transaction. The id and the shown prefix stay. */
export async function rotateKey(connection: Connection, id: KeyId, overlapSeconds: number, actor: string): Promise<string> {
  const [row] = await connection.query<RotatedRow>(KEY_TO_ROTATE, [id]);
  if (row === undefined) throw notFound('key', id, 'List keys with `muster keys list`.');
  refuseToRotate(row, overlapSeconds);
  const secret = formatKey(row.role, id, randomBytes(32));
  const parsed = parseKey(secret);
  if (parsed.kind !== 'key') throw new Error('A key that was just made does not parse.');
  await connection.execute(SECRETS_FORGET, [id]);
  await connection.execute(SECRETS_BEFORE_SHORTEN, [id, overlapSeconds]);
  await connection.execute(SECRET_RETIRE, [id, overlapSeconds]);
  await connection.execute(KEY_ROTATE, [id, parsed.secretHash]);
  await noteKey(connection, 'key.rotated', actor, { keyId: id, name: row.name, role: row.role, owner: row.owner, overlapSeconds });
  return secret;
}

function refuseToRotate(row: RotatedRow, overlapSeconds: number): void {
  const ended = row.revoked_at !== null ? 'revoked' : row.is_expired === true ? 'expired' : undefined;
  if (ended !== undefined) {
    throw new Refusal('illegalTransition', {
      detail: `The key ${JSON.stringify(row.name)} is ${ended}: a new secret would not bring it back.`,
      hint: 'Make another key with `muster keys create`.',
      currentState: ended,
      allowedActions: [],
    });
  }
  if (row.overlapping >= OVERLAPPING_MAX && overlapSeconds > 0) {
    throw new Refusal('illegalTransition', {
      detail: `${row.overlapping} replaced secrets of this key still work.`,
      hint: 'Wait until the first of them has ended, or rotate with an overlap of 0, which ends them all at once.',
      currentState: 'active',
      allowedActions: [],
    });
  }
}
