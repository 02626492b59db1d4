import { checkShape as complaintAbout } from '../http/shape-guard.js';
import { InvalidMessage } from './invalid-message.js';

export interface MessageLimits {
  readonly depthMax: number;
  /** Names of all objects, and as many items of all lists. */
  readonly entriesMax: number;
}

/** Readers take what they know by name and copy nothing else, and a metric or a label may have any name. */
const NO_NAMES: ReadonlySet<string> = new Set();

/**
 * Looks at the shape of a message before anybody looks into it, as REST does with bodies.
 *
 * @throws InvalidMessage naming the limit
 */
export function checkShape(message: unknown, { depthMax, entriesMax }: MessageLimits): void {
  const complaint = complaintAbout(message, { depthMax, keysMax: entriesMax, itemsMax: entriesMax, forbiddenNames: NO_NAMES });
  if (complaint !== null) throw new InvalidMessage(complaint.pointer, complaint.detail);
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
const UNSTORABLE = /[\0\p{Surrogate}]/gu;
