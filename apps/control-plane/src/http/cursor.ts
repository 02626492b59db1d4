import { invalidRequest } from './refusal.js';

/** Opaque to callers: what it holds may change in any version. */
export function toCursor(position: string): string {
  return Buffer.from(position).toString('base64url');
}

/** The position a cursor stands for; null when none was given. `isPosition` knows what this list's positions look like. */
export function fromCursor<P extends string>(cursor: string | undefined, isPosition: (text: string) => text is P): P | null {
  if (cursor === undefined) return null;
  const position = Buffer.from(cursor, 'base64url').toString();
  if (isPosition(position) && toCursor(position) === cursor) return position;
  throw invalidRequest([{ pointer: '?cursor', detail: 'Expected the `nextCursor` of an earlier page of this list.' }]);
}

/** A position in rows numbered by the database. */
export const isSequence = (text: string): text is `${number}` => /^\d{1,15}$/.test(text);
