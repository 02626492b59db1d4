import { createHash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import type { KeyId, Role } from '@muster/protocol';
import type { Clock } from '@muster/runtime';
import { Announcements } from '../announcements.js';
import { CLOCK } from '../core.module.js';
import { Database } from '../database/database.js';
import type { Caller } from './caller.js';
import { KeyUsage } from './key-usage.js';
import { parseKey } from './key-format.js';
import { KEYS_ENDED, KEY_TO_VERIFY } from './keys.sql.js';

/** How long a verified key is believed without asking: the longest a revocation can go unnoticed here. */
export const VERIFIED_FOR_MS = 2_000;
const VERIFIED_MAX = 10_000;
/** Compared with when the id is unknown, so that both refusals take the same time. */
const NOBODYS_HASH = createHash('sha256').update('nobody').digest();

export type Verdict =
  | { readonly caller: Caller }
  /** `hint` helps only somebody who held the right secret, or who mistyped: it tells a guesser nothing. */
  | { readonly refused: true; readonly hint: string };

interface KeyToVerify {
  readonly id: KeyId;
  readonly name: string;
  readonly role: Role;
  readonly owner: string;
  readonly prefix: string;
  readonly secret_hash: Buffer;
  readonly revoked_at: Date | null;
  readonly expires_at: Date | null;
  readonly is_expired: boolean | null;
}

const UNKNOWN = 'Check that it is a key of this Muster; an admin makes one with `muster keys create`.';

/** Tells whose key a text is. REST's guard and both gateways ask here. */
@Injectable()
export class KeyVerifier implements OnModuleInit, OnModuleDestroy {
  private readonly verified = new Map<string, { caller: Caller; untilMs: number }>();
  private stopListening: () => void = () => undefined;

  constructor(
    private readonly database: Database,
    private readonly announcements: Announcements,
    private readonly usage: KeyUsage,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.stopListening = this.announcements.on('key:revoked', ({ keyId }) => this.forget(keyId));
  }

  onModuleDestroy(): void {
    this.stopListening();
  }

  /** @throws DatabaseUnavailable when the key is not remembered and PostgreSQL is away */
  async verify(text: string): Promise<Verdict> {
    const parsed = parseKey(text);
    if (parsed.kind === 'foreign') return { refused: true, hint: UNKNOWN };
    if (parsed.kind === 'typo') {
      return { refused: true, hint: `It begins like a key (${parsed.prefix}…) but is mistyped or cut off: its checksum does not fit.` };
    }
    const remembered = this.remembered(text);
    if (remembered !== undefined) return { caller: remembered };
    const [row] = await this.database.query<KeyToVerify>(KEY_TO_VERIFY, [parsed.id]);
    const isRight = timingSafeEqual(parsed.secretHash, row?.secret_hash ?? NOBODYS_HASH);
    if (row === undefined || !isRight || row.role !== parsed.role) return { refused: true, hint: UNKNOWN };
    if (row.revoked_at !== null) return { refused: true, hint: `The key ${row.prefix}… was revoked at ${row.revoked_at.toISOString()}.` };
    if (row.is_expired === true) return { refused: true, hint: `The key ${row.prefix}… expired at ${row.expires_at?.toISOString()}.` };
    const caller = { keyId: row.id, name: row.name, role: row.role, owner: row.owner };
    this.remember(text, caller, row.expires_at);
    return { caller };
  }

  /** Which of these keys work no more. For connections that outlive their first request. */
  async endedAmong(keyIds: readonly KeyId[]): Promise<ReadonlySet<KeyId>> {
    const rows = await this.database.query<{ id: KeyId }>(KEYS_ENDED, [keyIds]);
    return new Set(rows.map(({ id }) => id));
  }

  private remembered(text: string): Caller | undefined {
    const entry = this.verified.get(digestOf(text));
    if (entry === undefined || entry.untilMs <= this.clock.nowMs()) return undefined;
    this.usage.note(entry.caller.keyId);
    return entry.caller;
  }

  private remember(text: string, caller: Caller, expiresAt: Date | null): void {
    this.usage.note(caller.keyId);
    if (this.verified.size >= VERIFIED_MAX) this.verified.clear();
    const untilMs = Math.min(this.clock.nowMs() + VERIFIED_FOR_MS, expiresAt?.getTime() ?? Infinity);
    this.verified.set(digestOf(text), { caller, untilMs });
  }

  private forget(keyId: KeyId): void {
    for (const [digest, { caller }] of this.verified) if (caller.keyId === keyId) this.verified.delete(digest);
  }
}

/** Keys themselves never stay in memory. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
