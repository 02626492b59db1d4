import { randomBytes } from 'node:crypto';
import { toId, type IdPrefix } from '@muster/protocol';

/** A fresh id that sorts by the time it was made. */
export function newId<K extends IdPrefix>(prefix: K): ReturnType<typeof toId<K>> {
  return toId(prefix, Date.now(), randomBytes(10));
}
