import { ADVISORY_LOCK, ADVISORY_LOCKS } from '../database/advisory-locks.js';
import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ID_PREFIXES, isId } from '@muster/protocol';
import type { CreatedKeyView, KeyId, KeyView, Role } from '@muster/protocol';
import { Announcements } from '../announcements.js';
import type { Connection } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { notFound, Refusal } from '../http/refusal.js';
import { newId } from '../new-id.js';
import type { Caller } from './caller.js';
import { formatKey, parseKey } from './key-format.js';
import { toKeyView } from './key.view.js';
import type { KeyRow } from './key.view.js';
import { ADMIN_KEYS_BESIDE, KEY_EVENT_INSERT, KEY_INSERT, KEY_REVOKE, KEYS_ALL } from './keys.sql.js';

export interface KeyWish {
  readonly name: string;
  readonly role: Role;
  readonly owner: string;
  readonly expiresAt?: string;
}

@Injectable()
export class KeysService {
  constructor(
    private readonly database: Database,
    private readonly announcements: Announcements,
  ) {}

  async list(): Promise<KeyView[]> {
    return (await this.database.query<KeyRow>(KEYS_ALL)).map(toKeyView);
  }

  /** The answer is the only place where the secret ever stands. */
  create(wish: KeyWish, actor: string): Promise<CreatedKeyView> {
    if (wish.expiresAt !== undefined && Date.parse(wish.expiresAt) <= Date.now()) {
      throw new Refusal('invalidRequest', {
        detail: '/expiresAt: Expected a moment in the future.',
        hint: 'Leave `expiresAt` out for a key that does not expire.',
        errors: [{ pointer: '/expiresAt', detail: 'Expected a moment in the future.' }],
      });
    }
    return this.database.transaction((connection) => insertKey(connection, wish, actor));
  }

  /** From the commit on no new request is let in; sockets and followers of the key are closed within 2 s everywhere. */
  async revoke(id: string, caller: Caller): Promise<KeyView> {
    if (!isId(ID_PREFIXES.key, id)) throw notFound('key', id, 'List keys with `muster keys`.');
    const view = await this.database.transaction((connection) => revokeKey(connection, id, caller));
    this.announcements.announce('key:revoked', { keyId: id });
    return view;
  }
}

/** Inserts a fresh key and its event; the caller owns the transaction. */
export async function insertKey(connection: Connection, wish: KeyWish, actor: string): Promise<CreatedKeyView> {
  const id = newId(ID_PREFIXES.key);
  const secret = formatKey(wish.role, id, randomBytes(32));
  const parsed = parseKey(secret);
  if (parsed.kind !== 'key') throw new Error('A key that was just made does not parse.');
  const values = [id, wish.name, wish.role, wish.owner, parsed.secretHash, parsed.prefix, wish.expiresAt ?? null];
  const [row] = await connection.query<KeyRow>(KEY_INSERT, values);
  if (row === undefined) throw new Error('An inserted key was not returned.');
  const told = { keyId: id, name: wish.name, role: wish.role, owner: wish.owner };
  await connection.execute(KEY_EVENT_INSERT, [newId(ID_PREFIXES.event), 'key.created', actor, JSON.stringify(told)]);
  return { ...toKeyView(row), secret };
}

async function revokeKey(connection: Connection, id: KeyId, caller: Caller): Promise<KeyView> {
  await connection.execute(ADVISORY_LOCK, [ADVISORY_LOCKS.keys]);
  const [beside] = await connection.query<{ count: number }>(ADMIN_KEYS_BESIDE, [id]);
  const [row] = await connection.query<KeyRow>(KEY_REVOKE, [id]);
  if (row === undefined) throw notFound('key', id, 'List keys with `muster keys`.');
  if (row.role === 'admin' && beside?.count === 0) {
    throw new Refusal('illegalTransition', {
      detail: 'This is the last admin key; without it nobody could make another.',
      hint: 'Create another admin key first, then revoke this one with it.',
      currentState: 'active',
      allowedActions: [],
    });
  }
  const told = { keyId: id, name: row.name, role: row.role, owner: row.owner };
  await connection.execute(KEY_EVENT_INSERT, [newId(ID_PREFIXES.event), 'key.revoked', caller.owner, JSON.stringify(told)]);
  return toKeyView(row);
}
