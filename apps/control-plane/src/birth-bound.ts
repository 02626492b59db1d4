import { toId, type IdPrefix } from '@muster/protocol';

/** Characters of an id's body that tell when it was made. */
export const TIME_CHARACTERS = 10;

/** What the ids made at a moment begin with: every one made before sorts before it, every other behind it. */
export function birthBound(prefix: IdPrefix, momentMs: number): string {
  return toId(prefix, Math.max(0, momentMs), new Uint8Array(10)).slice(0, prefix.length + 1 + TIME_CHARACTERS);
}
