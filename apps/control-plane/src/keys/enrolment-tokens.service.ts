import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ID_PREFIXES, isId, KEY_TIMES } from '@muster/protocol';
import type { CreatedEnrolmentTokenView, CreatedKeyView, EnrolmentTokenView, KeyId } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { invalidRequest, notFound, Refusal } from '../http/refusal.js';
import { newId } from '../new-id.js';
import { expiryOf } from './expiry.js';
import type { ExpiryWish } from './expiry.js';
import { formatEnrolmentToken, formatKey, hashOf, parseKey } from './key-format.js';
import type { ParsedToken } from './key-format.js';
import { KEY_AS_MADE, TOKEN_INSERT, TOKEN_REVOKE, TOKEN_TO_EXCHANGE, TOKEN_TO_VERIFY, TOKEN_USE, TOKENS_ALL } from './enrolment.sql.js';
import { noteKey } from './key-events.js';
import { mistyped } from './key-verifier.js';
import { toTokenView } from './key.view.js';
import type { TokenRow } from './key.view.js';
import { insertKey, nowMs, readKey } from './keys.service.js';

export interface TokenWish extends ExpiryWish {
  readonly name: string;
  readonly owner: string;
}

/** What a machine says when it exchanges its token. */
export interface Exchange {
  readonly name?: string;
  readonly exchangeId: string;
}

interface TokenState {
  readonly prefix: string;
  readonly revoked_at: Date | null;
  readonly expires_at: Date;
  readonly is_expired: boolean;
}
interface TokenToVerify extends TokenState {
  readonly secret_hash: Buffer;
}
interface TokenToExchange extends TokenState {
  readonly name: string;
  readonly owner: string;
  readonly used_at: Date | null;
  readonly key_id: KeyId | null;
  readonly exchange_hash: Buffer | null;
}

const ASK = 'An admin makes a new one with `muster keys enrolment create`.';
const NOBODYS_HASH = hashOf('nobody');

/** Tokens that stand for one worker key each, until one machine has taken it. */
@Injectable()
export class EnrolmentTokensService {
  constructor(private readonly database: Database) {}

  async list(): Promise<EnrolmentTokenView[]> {
    return (await this.database.query<TokenRow>(TOKENS_ALL)).map(toTokenView);
  }

  /** The answer is the only place where the token ever stands. */
  create(wish: TokenWish, actor: string): Promise<CreatedEnrolmentTokenView> {
    return this.database.transaction(async (connection) => {
      const { enrolmentSecondsMax: secondsMax, enrolmentSecondsDefault: secondsDefault } = KEY_TIMES;
      const expiry = expiryOf(wish, await nowMs(connection), { secondsMax, shownMax: '30 days', secondsDefault });
      if ('error' in expiry) throw invalidRequest([expiry.error]);
      const id = newId(ID_PREFIXES.enrolmentToken);
      const token = formatEnrolmentToken(id, randomBytes(32));
      const parsed = parseKey(token);
      if (parsed.kind !== 'enrolmentToken') throw new Error('A token that was just made does not parse.');
      const values = [id, wish.name, wish.owner, parsed.secretHash, parsed.prefix, expiry.at];
      const [row] = await connection.query<TokenRow>(TOKEN_INSERT, values);
      if (row === undefined) throw new Error('An inserted token was not returned.');
      await noteKey(connection, 'enrolmentToken.created', actor, { enrolmentTokenId: id, name: wish.name, owner: wish.owner });
      return { ...toTokenView(row), token };
    });
  }

  /** Nobody can exchange it any more; a key that was made of it before lives on. */
  async revoke(id: string, actor: string): Promise<EnrolmentTokenView> {
    const hint = 'List tokens with `muster keys enrolment list`.';
    if (!isId(ID_PREFIXES.enrolmentToken, id)) throw notFound('enrolment token', id, hint);
    return this.database.transaction(async (connection) => {
      const [row] = await connection.query<TokenRow>(TOKEN_REVOKE, [id]);
      if (row === undefined) throw notFound('enrolment token', id, hint);
      await noteKey(connection, 'enrolmentToken.revoked', actor, { enrolmentTokenId: id, name: row.name, owner: row.owner });
      return toTokenView(row);
    });
  }

  /** Whether the text is a token that exists; what may still be had for it is for the exchange to say. */
  async verify(text: string): Promise<{ readonly token: ParsedToken } | { readonly refused: true; readonly hint: string }> {
    const parsed = parseKey(text);
    if (parsed.kind === 'typo') return { refused: true, hint: mistyped(parsed.prefix) };
    if (parsed.kind !== 'enrolmentToken') return { refused: true, hint: ASK };
    const [row] = await this.database.query<TokenToVerify>(TOKEN_TO_VERIFY, [parsed.id]);
    const isRight = timingSafeEqual(parsed.secretHash, row?.secret_hash ?? NOBODYS_HASH);
    if (row === undefined || !isRight) return { refused: true, hint: `Check that it is a token of this Muster. ${ASK}` };
    const ended = whyEnded(row);
    return ended === undefined ? { token: parsed } : { refused: true, hint: ended };
  }

  /**
   * The machine's own worker key, for the token it came with: once. The same token with the same exchange id is answered
   * the same key again as long as the token has not expired, so that a machine which lost the answer, or crashed before it
   * had stored it, just asks again.
   */
  exchange(token: ParsedToken, wish: Exchange): Promise<CreatedKeyView> {
    return this.database.transaction(async (connection) => {
      const [row] = await connection.query<TokenToExchange>(TOKEN_TO_EXCHANGE, [token.id]);
      const ended = row === undefined ? ASK : whyEnded(row);
      if (row === undefined || ended !== undefined) throw refusedToken(ended ?? ASK);
      if (row.key_id !== null) return { ...(await keyAgain(connection, row, row.key_id, wish)), secret: formatKey('worker', row.key_id, derive(token, wish)) };
      const key = { name: wish.name ?? row.name, role: 'worker', owner: row.owner } as const;
      const made = await insertKey(connection, key, row.owner, { random: derive(token, wish), told: { enrolmentTokenId: token.id } });
      await connection.execute(TOKEN_USE, [token.id, made.id, hashOf(wish.exchangeId)]);
      const told = { enrolmentTokenId: token.id, name: row.name, owner: row.owner, keyId: made.id };
      await noteKey(connection, 'enrolmentToken.used', row.owner, told);
      return made;
    });
  }
}

/** The secret of the key: only who knows the token *and* the machine's own random text can make it, so it is stored nowhere. */
function derive({ id, random }: ParsedToken, { exchangeId }: Exchange): Buffer {
  return createHmac('sha256', random).update(`muster worker key\n${id}\n${exchangeId}`).digest();
}

async function keyAgain(connection: Connection, row: TokenToExchange, keyId: KeyId, wish: Exchange): ReturnType<typeof readKey> {
  const isSame = row.exchange_hash !== null && timingSafeEqual(row.exchange_hash, hashOf(wish.exchangeId));
  if (!isSame) throw refusedToken(`The token ${row.prefix}… was used at ${row.used_at?.toISOString()} and works once. ${ASK}`);
  const [key] = await connection.query<{ is_as_made: boolean }>(KEY_AS_MADE, [keyId]);
  if (key?.is_as_made !== true) throw refusedToken(`The key that was made of the token ${row.prefix}… was revoked or rotated since. ${ASK}`);
  return readKey(connection, keyId);
}

function whyEnded({ prefix, revoked_at, expires_at, is_expired }: TokenState): string | undefined {
  if (revoked_at !== null) return `The token ${prefix}… was revoked at ${revoked_at.toISOString()}. ${ASK}`;
  return is_expired ? `The token ${prefix}… expired at ${expires_at.toISOString()}. ${ASK}` : undefined;
}

function refusedToken(hint: string): Refusal {
  return new Refusal('unauthenticated', { detail: 'The enrolment token was refused.', hint });
}
