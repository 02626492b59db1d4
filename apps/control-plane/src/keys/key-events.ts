import { ID_PREFIXES } from '@muster/protocol';
import type { EventType } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { newId } from '../new-id.js';
import { KEY_EVENT_INSERT } from './keys.sql.js';

/** Writes down what happened to a key or a token, in the transaction in which it did. Never a secret. */
export async function noteKey(
  connection: Connection,
  type: Extract<EventType, `key.${string}` | `enrolmentToken.${string}`>,
  actor: string,
  data: Readonly<Record<string, unknown>>,
): Promise<void> {
  await connection.execute(KEY_EVENT_INSERT, [newId(ID_PREFIXES.event), type, actor, JSON.stringify(data)]);
}
