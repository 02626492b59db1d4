import { InvalidMessage } from './invalid-message.js';

export interface ShapeLimits {
  readonly depthMax: number;
  /** Keys of objects and items of arrays together. */
  readonly entriesMax: number;
}

/**
 * Walks a message before anybody looks into it: neither too deep (whoever recurses over it later would overflow the
 * stack) nor too many entries, and no text that PostgreSQL refuses (NUL, half a surrogate pair). Iterates, so that the
 * depth of the message is not its own.
 *
 * @throws InvalidMessage naming the limit
 */
export function checkShape(message: unknown, limits: ShapeLimits): void {
  const pending: { readonly value: unknown; readonly depth: number }[] = [{ value: message, depth: 1 }];
  let entries = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string') checkText(value);
    if (typeof value !== 'object' || value === null || isBytes(value)) continue;
    if (depth > limits.depthMax) throw new InvalidMessage('', `nested deeper than ${limits.depthMax} levels`);
    for (const [key, inner] of Object.entries(value)) {
      entries += 1;
      if (entries > limits.entriesMax) throw new InvalidMessage('', `more than ${limits.entriesMax} entries`);
      checkText(key);
      pending.push({ value: inner, depth: depth + 1 });
    }
  }
}

/** Depth of a JSON value: 0 for a plain value, 1 for an object or array of plain values. */
export function depthOf(value: unknown): number {
  const pending: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  let deepest = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue;
    deepest = Math.max(deepest, next.depth + 1);
    for (const inner of Object.values(next.value)) pending.push({ value: inner, depth: next.depth + 1 });
  }
  return deepest;
}

export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

/** The text as PostgreSQL takes it: what it refuses is replaced by U+FFFD, what is too long is cut off. */
export function toStorableText(text: string, lengthMax: number): string {
  return text.slice(0, lengthMax).replace(UNSTORABLE, '\uFFFD');
}

/** With the `u` flag only halves without their other half match. */
const LONE_SURROGATE = /\p{Surrogate}/u;
const UNSTORABLE = /[\0\p{Surrogate}]/gu;

function checkText(text: string): void {
  if (text.includes('\0')) throw new InvalidMessage('', 'a text holds a NUL character');
  if (LONE_SURROGATE.test(text)) throw new InvalidMessage('', 'a text holds half a surrogate pair');
}
