/** How a key is written: `<prefix><body of its id><random part><checksum>` (see `KEY_PREFIXES` of the protocol). */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ID_PREFIXES, KEY_PREFIXES, ROLES, isId } from '@muster/protocol';
import type { KeyId, Role } from '@muster/protocol';

const ID_BODY_LENGTH = 26;
const RANDOM_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const BASE_62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Characters of a key that may be shown and stored: its prefix and the time part of its id. */
const SHOWN_ID_CHARACTERS = 8;

export type ParsedKey =
  | { readonly kind: 'key'; readonly id: KeyId; readonly role: Role; readonly secretHash: Buffer; readonly prefix: string }
  /** It begins like a key of ours, but its checksum or its length does not fit: mistyped, or cut off when it was copied. */
  | { readonly kind: 'typo'; readonly prefix: string }
  | { readonly kind: 'foreign' };

/** @param random 32 bytes */
export function formatKey(role: Role, id: KeyId, random: Buffer): string {
  const body = `${KEY_PREFIXES[role]}${id.slice(ID_PREFIXES.key.length + 1)}${random.toString('base64url')}`;
  return body + checksumOf(body);
}

export function parseKey(text: string): ParsedKey {
  const role = ROLES.find((name) => text.startsWith(KEY_PREFIXES[name]));
  if (role === undefined) return { kind: 'foreign' };
  const body = text.slice(0, -CHECKSUM_LENGTH);
  const rest = body.slice(KEY_PREFIXES[role].length);
  const id = `${ID_PREFIXES.key}_${rest.slice(0, ID_BODY_LENGTH)}`;
  const random = rest.slice(ID_BODY_LENGTH);
  const isWhole = random.length === RANDOM_LENGTH && text.slice(-CHECKSUM_LENGTH) === checksumOf(body);
  if (!isWhole || !isId(ID_PREFIXES.key, id)) return { kind: 'typo', prefix: KEY_PREFIXES[role] };
  return { kind: 'key', id, role, secretHash: hashOf(random), prefix: shownPrefix(text, role) };
}

/** What is stored in place of the key: 256 random bits need no slow hash, and a slow one would be a lever against us. */
function hashOf(random: string): Buffer {
  return createHash('sha256').update(random).digest();
}

function shownPrefix(text: string, role: Role): string {
  return text.slice(0, KEY_PREFIXES[role].length + SHOWN_ID_CHARACTERS);
}

/** CRC-32 in six characters: tells a typo from a wrong key without asking the database; no secret rests on it. */
function checksumOf(body: string): string {
  let left = crc32(body);
  let text = '';
  for (let digit = 0; digit < CHECKSUM_LENGTH; digit++, left = Math.floor(left / 62)) text = (BASE_62[left % 62] ?? '') + text;
  return text;
}

/** True when `text` holds something that looks like one of our keys, or the beginning of one long enough to hurt. */
export function holdsKey(text: string): boolean {
  return /(?:mst_(?:adm|opr|sub|viw|sit|job)_|wak_)[0-9A-Za-z]{12,}/.test(text);
}
