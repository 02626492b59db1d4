import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ID_PREFIXES, isId, KEY_TIMES } from '@muster/protocol';
import type { CreatedKeyView, KeyId, KeyView, Role, WorkerId } from '@muster/protocol';
import { Announcements } from '../announcements.js';
import { ADVISORY_LOCK, ADVISORY_LOCKS } from '../database/advisory-locks.js';
import type { Connection } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { storeEvents } from '../engine/store-slice.js';
import { invalidRequest, notFound, Refusal } from '../http/refusal.js';
import { newId } from '../new-id.js';
import type { Caller } from './caller.js';
import { expiryOf } from './expiry.js';
import type { ExpiryWish } from './expiry.js';
import { formatKey, parseKey } from './key-format.js';
import { toKeyView } from './key.view.js';
import type { KeyRow } from './key.view.js';
import { noteKey } from './key-events.js';
import { rotateKey } from './rotation.js';
import { ADMIN_KEYS_BESIDE, KEY_INSERT, KEY_REVOKE, KEY_SHOWN, KEYS_ALL, KEYS_NOW, WORKERS_FENCE } from './keys.sql.js';

export interface KeyWish {
  readonly name: string;
  readonly role: Role;
  readonly owner: string;
  readonly expiresAt?: Date | null;
}

const LIST_HINT = 'List keys with `muster keys list`.';

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
  create(wish: Omit<KeyWish, 'expiresAt'> & ExpiryWish, actor: string): Promise<CreatedKeyView> {
    return this.database.transaction(async (connection) => {
      const bounds = { secondsMax: KEY_TIMES.lifetimeSecondsMax, shownMax: 'ten years' };
      const expiry = expiryOf(wish, await nowMs(connection), bounds);
      if ('error' in expiry) throw invalidRequest([expiry.error]);
      return insertKey(connection, { name: wish.name, role: wish.role, owner: wish.owner, expiresAt: expiry.at }, actor);
    });
  }

  /**
   * Gives the key a new secret, which the answer alone holds. Those before go on working for the overlap; connections that
   * were opened with them end with it, within 2 s.
   */
  async rotate(id: string, overlapSeconds: number | undefined, caller: Caller): Promise<CreatedKeyView> {
    if (!isId(ID_PREFIXES.key, id)) throw notFound('key', id, LIST_HINT);
    const overlap = overlapSeconds ?? KEY_TIMES.overlapSecondsDefault;
    const rotated = await this.database.transaction(async (connection) => {
      const secret = await rotateKey(connection, id, overlap, caller.owner);
      return { ...(await readKey(connection, id)), secret };
    });
    this.announcements.announce('key:rotated', { keyId: id });
    return rotated;
  }

  /**
   * From the commit on no new request is let in and nothing counts that an agent of the key says; sockets and followers of
   * the key are closed within 2 s everywhere.
   */
  async revoke(id: string, caller: Caller): Promise<KeyView> {
    if (!isId(ID_PREFIXES.key, id)) throw notFound('key', id, LIST_HINT);
    const view = await this.database.transaction((connection) => revokeKey(connection, id, caller.owner));
    this.announcements.announce('key:revoked', { keyId: id });
    return view;
  }
}

/** Milliseconds since 1970 by the database's clock. */
export async function nowMs(connection: Connection): Promise<number> {
  const [row] = await connection.query<{ now: Date }>(KEYS_NOW);
  return row?.now.getTime() ?? Date.now();
}

/** Inserts a fresh key and its event; the caller owns the transaction. */
export async function insertKey(
  connection: Connection,
  wish: KeyWish,
  actor: string,
  made: { readonly random?: Buffer; readonly told?: Readonly<Record<string, unknown>> } = {},
): Promise<CreatedKeyView> {
  const id = newId(ID_PREFIXES.key);
  const secret = formatKey(wish.role, id, made.random ?? randomBytes(32));
  const parsed = parseKey(secret);
  if (parsed.kind !== 'key') throw new Error('A key that was just made does not parse.');
  const values = [id, wish.name, wish.role, wish.owner, parsed.secretHash, parsed.prefix, wish.expiresAt ?? null];
  await connection.execute(KEY_INSERT, values);
  await noteKey(connection, 'key.created', actor, { keyId: id, name: wish.name, role: wish.role, owner: wish.owner, ...made.told });
  return { ...(await readKey(connection, id)), secret };
}

/** @throws Refusal `notFound` */
export async function readKey(connection: Connection, id: KeyId): Promise<KeyView> {
  const [row] = await connection.query<KeyRow>(KEY_SHOWN, [id]);
  if (row === undefined) throw notFound('key', id, LIST_HINT);
  return toKeyView(row);
}

/** Ends the key and fences its workers; the caller owns the transaction, and tells others after it. */
export async function revokeKey(connection: Connection, id: KeyId, actor: string): Promise<KeyView> {
  await connection.execute(ADVISORY_LOCK, [ADVISORY_LOCKS.keys]);
  const [beside] = await connection.query<{ count: number }>(ADMIN_KEYS_BESIDE, [id]);
  await connection.execute(KEY_REVOKE, [id]);
  const view = await readKey(connection, id);
  if (view.role === 'admin' && beside?.count === 0) {
    throw new Refusal('illegalTransition', {
      detail: 'This is the last admin key; without it nobody could make another.',
      hint: 'Create another admin key first, then revoke this one with it.',
      currentState: 'active',
      allowedActions: [],
    });
  }
  const fenced = await connection.query<{ id: WorkerId }>(WORKERS_FENCE, [id]);
  const told = { keyId: id, name: view.name, role: view.role, owner: view.owner };
  await noteKey(connection, 'key.revoked', actor, told);
  const events = fenced.map((worker) => ({
    type: 'worker.fenced' as const, actor: actor, jobId: null, attemptId: null, workerId: worker.id, data: { keyId: id },
  }));
  if (events.length > 0) await storeEvents(connection, events, Date.now());
  return view;
}
