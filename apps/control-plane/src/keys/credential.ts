import type { KeyId } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { CREDENTIALS_ENDED } from './keys.sql.js';

/** One secret of one key: what a connection was opened with. A rotation ends it while the key lives on. */
export interface Credential {
  readonly keyId: KeyId;
  /** Grows with each rotation. */
  readonly secretNumber: number;
}

/** `key`: revoked or expired, whatever the secret. `secret`: another has replaced it and its overlap is over. */
export type EndedBy = 'key' | 'secret';

/** Which of these work no more. For connections that outlive their first request. */
export async function endedCredentials(
  database: Pick<Connection, 'query'>,
  credentials: Iterable<Credential>,
): Promise<(credential: Credential) => EndedBy | undefined> {
  const known = new Map([...credentials].map((credential) => [nameOf(credential), credential]));
  if (known.size === 0) return () => undefined;
  const all = [...known.values()];
  const values = [all.map(({ keyId }) => keyId), all.map(({ secretNumber }) => secretNumber)];
  const rows = await database.query<{ key_id: KeyId; number: number; ended_by: EndedBy }>(CREDENTIALS_ENDED, values);
  if (rows.length === 0) return () => undefined;
  const ended = new Map(rows.map((row) => [nameOf({ keyId: row.key_id, secretNumber: row.number }), row.ended_by]));
  return (credential) => ended.get(nameOf(credential));
}

function nameOf({ keyId, secretNumber }: Credential): string {
  return `${keyId} ${secretNumber}`;
}
