/**
 * Ids are prefixed and sort by the time they were made: `<prefix>_<26 characters of Crockford base 32>` (a ULID).
 * The brand keeps a worker's id from compiling where a job's is meant; on the wire all are plain strings.
 */
declare const brand: unique symbol;
type Id<Kind extends string> = string & { readonly [brand]: Kind };

export type JobId = Id<'job'>;
export type AttemptId = Id<'att'>;
export type WorkerId = Id<'wkr'>;
export type KeyId = Id<'key'>;
export type EventId = Id<'evt'>;
export type EnrolmentTokenId = Id<'enr'>;

export const ID_PREFIXES = { job: 'job', attempt: 'att', worker: 'wkr', key: 'key', event: 'evt', enrolmentToken: 'enr' } as const;
export type IdPrefix = (typeof ID_PREFIXES)[keyof typeof ID_PREFIXES];

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ULID_BODY = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** True when `text` has the form of an id of this kind. Says nothing about whether it exists. */
export function isId<K extends IdPrefix>(prefix: K, text: unknown): text is Id<K> {
  return typeof text === 'string' && text.startsWith(`${prefix}_`) && ULID_BODY.test(text.slice(prefix.length + 1));
}

/**
 * Builds an id from its two facts, so that this module needs neither a clock nor a source of randomness.
 *
 * @param nowMs milliseconds since 1970, 0 to 2^48 - 1
 * @param random 10 bytes
 */
export function toId<K extends IdPrefix>(prefix: K, nowMs: number, random: Uint8Array): Id<K> {
  let time = '';
  for (let left = Math.floor(nowMs), i = 0; i < 10; i++, left = Math.floor(left / 32)) time = CROCKFORD[left % 32] + time;
  let tail = '';
  let bits = 0;
  let held = 0;
  for (const byte of random.subarray(0, 10)) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      tail += CROCKFORD[(held >>> bits) & 31];
      held &= (1 << bits) - 1;
    }
  }
  return `${prefix}_${time}${tail}` as Id<K>;
}
