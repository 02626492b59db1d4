import { hash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import type { KeyId, Role } from '@muster/protocol';
import type { Clock } from '@muster/runtime';
import { Announcements } from '../announcements.js';
import { CLOCK } from '../core.module.js';
import type { Connection } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import type { Caller } from './caller.js';
import { endedCredentials } from './credential.js';
import type { Credential, EndedBy } from './credential.js';
import { KeyUsage } from './key-usage.js';
import { parseKey } from './key-format.js';
import { KEY_TO_VERIFY } from './keys.sql.js';

/** How long a verified key is believed without asking: the longest a revocation can go unnoticed here. */
export const VERIFIED_FOR_MS = 2_000;
const VERIFIED_MAX = 10_000;
/** Compared with when the id is unknown, so that both refusals take the same time. */
const NOBODYS_HASH = hash('sha256', 'nobody', 'buffer');

export type Verdict =
  | { readonly caller: Caller }
  /** `hint` helps only somebody who held the right secret, or who mistyped: it tells a guesser nothing. */
  | { readonly refused: true; readonly hint: string };

/** One secret of a key, the newest or one that a rotation replaced. */
interface KeyToVerify {
  readonly id: KeyId;
  readonly name: string;
  readonly role: Role;
  readonly owner: string;
  readonly prefix: string;
  readonly secret_hash: Buffer;
  readonly secret_number: number;
  readonly ends_at: Date | null;
  readonly is_replaced: boolean | null;
  readonly revoked_at: Date | null;
  readonly expires_at: Date | null;
  readonly is_expired: boolean | null;
}

const UNKNOWN = 'Check that it is a key of this Muster; an admin makes one with `muster keys create`.';
const IS_TOKEN = 'This is an enrolment token: a machine exchanges it for its own key at POST /api/v1/keys/enrol, and it opens nothing else.';

const IS_JOB_TOKEN = 'This is a job token: it opens the calls of its own attempt, below /api/v1/attempts, and nothing else.';

/** Tells whose key a text is. REST's guard and both gateways ask here. */
@Injectable()
export class KeyVerifier implements OnModuleInit, OnModuleDestroy {
  private readonly verified = new Map<string, { caller: Caller; untilMs: number }>();
  /** How often something was forgotten: what was read before may have ended since. */
  private forgettings = 0;
  private stopListening: (() => void)[] = [];

  constructor(
    private readonly database: Database,
    private readonly announcements: Announcements,
    private readonly usage: KeyUsage,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    const forget = ({ keyId }: { keyId: KeyId }): void => this.forget(keyId);
    this.stopListening = [
      this.announcements.on('key:revoked', forget),
      this.announcements.on('key:rotated', forget),
      this.announcements.on('announcements:missed', () => this.forgetAll()),
    ];
  }

  onModuleDestroy(): void {
    for (const stop of this.stopListening) stop();
  }

  /** @throws DatabaseUnavailable when the key is not remembered and PostgreSQL is away */
  async verify(text: string): Promise<Verdict> {
    const remembered = this.remembered(text);
    if (remembered !== undefined) return { caller: remembered };
    const parsed = parseKey(text);
    if (parsed.kind === 'foreign') return { refused: true, hint: UNKNOWN };
    if (parsed.kind === 'enrolmentToken') return { refused: true, hint: IS_TOKEN };
    if (parsed.kind === 'jobToken') return { refused: true, hint: IS_JOB_TOKEN };
    if (parsed.kind === 'typo') return { refused: true, hint: mistyped(parsed.prefix) };
    const { forgettings } = this;
    const secrets = await this.database.query<KeyToVerify>(KEY_TO_VERIFY, [parsed.id]);
    // Read before a key ended that may be this one: read it again.
    if (forgettings !== this.forgettings) return this.verify(text);
    const row = theSecret(secrets, parsed.secretHash);
    if (row === undefined || row.role !== parsed.role) return { refused: true, hint: UNKNOWN };
    const ended = whyEnded(row);
    if (ended !== undefined) return { refused: true, hint: ended };
    const caller = { keyId: row.id, secretNumber: row.secret_number, name: row.name, role: row.role, owner: row.owner };
    this.remember(text, caller, [row.expires_at, row.ends_at]);
    return { caller };
  }

  /**
   * Which of these work no more. For connections that outlive their first request; by what it finds, nobody is let in again.
   *
   * @param database where there is room for it
   */
  async ended(
    credentials: Iterable<Credential>,
    database: Pick<Connection, 'query'> = this.database,
  ): Promise<(credential: Credential) => EndedBy | undefined> {
    const all = [...credentials];
    const ended = await endedCredentials(database, all);
    for (const credential of all) if (ended(credential) !== undefined) this.forget(credential.keyId);
    return ended;
  }

  private remembered(text: string): Caller | undefined {
    const entry = this.verified.get(digestOf(text));
    if (entry === undefined || entry.untilMs <= this.clock.nowMs()) return undefined;
    this.usage.note(entry.caller.keyId);
    return entry.caller;
  }

  private remember(text: string, caller: Caller, ends: readonly (Date | null)[]): void {
    this.usage.note(caller.keyId);
    if (this.verified.size >= VERIFIED_MAX) this.verified.clear();
    const untilMs = Math.min(this.clock.nowMs() + VERIFIED_FOR_MS, ...ends.map((end) => end?.getTime() ?? Infinity));
    this.verified.set(digestOf(text), { caller, untilMs });
  }

  private forgetAll(): void {
    this.forgettings += 1;
    this.verified.clear();
  }

  private forget(keyId: KeyId): void {
    this.forgettings += 1;
    for (const [digest, { caller }] of this.verified) if (caller.keyId === keyId) this.verified.delete(digest);
  }
}

/** Compared with every secret of the key, and with none that exists where the id is unknown: each takes the same time. */
function theSecret(secrets: readonly KeyToVerify[], secretHash: Buffer): KeyToVerify | undefined {
  const right = secrets.filter((secret) => timingSafeEqual(secretHash, secret.secret_hash));
  if (secrets.length === 0) timingSafeEqual(secretHash, NOBODYS_HASH);
  return right[0];
}

/** For somebody who holds the right secret. */
function whyEnded({ prefix, revoked_at, expires_at, is_expired, ends_at, is_replaced }: KeyToVerify): string | undefined {
  if (revoked_at !== null) return `The key ${prefix}… was revoked at ${revoked_at.toISOString()}.`;
  if (is_expired === true) return `The key ${prefix}… expired at ${expires_at?.toISOString()}.`;
  if (is_replaced === true) return `This secret of the key ${prefix}… was replaced; it worked until ${ends_at?.toISOString()}.`;
  return undefined;
}

export function mistyped(prefix: string): string {
  return `It begins like a key (${prefix}…) but is mistyped or cut off: its checksum does not fit.`;
}

/** Keys themselves never stay in memory. */
function digestOf(text: string): string {
  return hash('sha256', text, 'base64');
}
