/** How a key is written: `<prefix><body of its id><random part><checksum>` (see `KEY_PREFIXES` of the protocol). */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ENROLMENT_PREFIX, ID_PREFIXES, JOB_TOKEN_PREFIX, KEY_PREFIXES, ROLES, isId } from '@muster/protocol';
import type { AttemptId, EnrolmentTokenId, KeyId, Role } from '@muster/protocol';

const ID_BODY_LENGTH = 26;
const RANDOM_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const BASE_62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Characters of a key that may be shown and stored: its prefix and the time part of its id. */
const SHOWN_ID_CHARACTERS = 8;

interface ParsedSecret {
  readonly secretHash: Buffer;
  /** What may be shown of it. */
  readonly prefix: string;
}
export interface ParsedToken extends ParsedSecret {
  readonly kind: 'enrolmentToken';
  readonly id: EnrolmentTokenId;
  /** The secret part itself: the machine's key is derived from it. */
  readonly random: string;
}
export interface ParsedJobToken extends ParsedSecret {
  readonly kind: 'jobToken';
  readonly attemptId: AttemptId;
}
export type ParsedKey =
  | (ParsedSecret & { readonly kind: 'key'; readonly id: KeyId; readonly role: Role })
  | ParsedToken
  | ParsedJobToken
  /** It begins like a key of ours, but its checksum or its length does not fit: mistyped, or cut off when it was copied. */
  | { readonly kind: 'typo'; readonly prefix: string }
  | { readonly kind: 'foreign' };

/** @param random 32 bytes */
export function formatKey(role: Role, id: KeyId, random: Buffer): string {
  return format(KEY_PREFIXES[role], id, random);
}

/** @param random 32 bytes */
export function formatEnrolmentToken(id: EnrolmentTokenId, random: Buffer): string {
  return format(ENROLMENT_PREFIX, id, random);
}

/** @param random 32 bytes */
export function formatJobToken(id: AttemptId, random: Buffer): string {
  return format(JOB_TOKEN_PREFIX, id, random);
}

export function parseKey(text: string): ParsedKey {
  if (text.startsWith(JOB_TOKEN_PREFIX)) return parseJobToken(text);
  if (text.startsWith(ENROLMENT_PREFIX)) return parseToken(text);
  const role = ROLES.find((name) => text.startsWith(KEY_PREFIXES[name]));
  if (role === undefined) return { kind: 'foreign' };
  const parts = take(text, KEY_PREFIXES[role]);
  const id = `${ID_PREFIXES.key}_${parts?.idBody}`;
  if (parts === undefined || !isId(ID_PREFIXES.key, id)) return { kind: 'typo', prefix: KEY_PREFIXES[role] };
  return { kind: 'key', id, role, secretHash: hashOf(parts.random), prefix: shownPrefix(text, KEY_PREFIXES[role]) };
}

function parseToken(text: string): ParsedKey {
  const parts = take(text, ENROLMENT_PREFIX);
  const id = `${ID_PREFIXES.enrolmentToken}_${parts?.idBody}`;
  if (parts === undefined || !isId(ID_PREFIXES.enrolmentToken, id)) return { kind: 'typo', prefix: ENROLMENT_PREFIX };
  const { random } = parts;
  return { kind: 'enrolmentToken', id, random, secretHash: hashOf(random), prefix: shownPrefix(text, ENROLMENT_PREFIX) };
}

function parseJobToken(text: string): ParsedKey {
  const parts = take(text, JOB_TOKEN_PREFIX);
  const attemptId = `${ID_PREFIXES.attempt}_${parts?.idBody}`;
  if (parts === undefined || !isId(ID_PREFIXES.attempt, attemptId)) return { kind: 'typo', prefix: JOB_TOKEN_PREFIX };
  return { kind: 'jobToken', attemptId, secretHash: hashOf(parts.random), prefix: shownPrefix(text, JOB_TOKEN_PREFIX) };
}

/** True when `text` holds something that looks like one of our keys, or the beginning of one long enough to hurt. */
export function holdsKey(text: string): boolean {
  return /(?:mst_(?:adm|opr|sub|viw|sit|job|enr)_|wak_)[0-9A-Za-z]{12,}/.test(text);
}

function format(prefix: string, id: KeyId | EnrolmentTokenId | AttemptId, random: Buffer): string {
  const body = `${prefix}${id.slice(id.indexOf('_') + 1)}${random.toString('base64url')}`;
  return body + checksumOf(body);
}

/** Undefined unless length and checksum fit. */
function take(text: string, prefix: string): { readonly idBody: string; readonly random: string } | undefined {
  const body = text.slice(0, -CHECKSUM_LENGTH);
  const rest = body.slice(prefix.length);
  const random = rest.slice(ID_BODY_LENGTH);
  const isWhole = random.length === RANDOM_LENGTH && text.slice(-CHECKSUM_LENGTH) === checksumOf(body);
  return isWhole ? { idBody: rest.slice(0, ID_BODY_LENGTH), random } : undefined;
}

/** What is stored in place of a secret: 256 random bits need no slow hash, and a slow one would be a lever against us. */
export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function shownPrefix(text: string, prefix: string): string {
  return text.slice(0, prefix.length + SHOWN_ID_CHARACTERS);
}

/** CRC-32 in six characters: tells a typo from a wrong key without asking the database; no secret rests on it. */
function checksumOf(body: string): string {
  let left = crc32(body);
  let text = '';
  for (let digit = 0; digit < CHECKSUM_LENGTH; digit++, left = Math.floor(left / 62)) text = (BASE_62[left % 62] ?? '') + text;
  return text;
}
