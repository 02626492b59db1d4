import { randomFillSync } from 'node:crypto';
import { toId, type IdPrefix } from '@muster/protocol';

const RANDOM_BYTES = 10;

/** Chance for many ids at once: asking for each by itself takes longer than all else about an id. */
const stock = new Uint8Array(RANDOM_BYTES * 400);
let taken = stock.length;

/** A fresh id that sorts by the time it was made. */
export function newId<K extends IdPrefix>(prefix: K): ReturnType<typeof toId<K>> {
  if (taken === stock.length) {
    randomFillSync(stock);
    taken = 0;
  }
  taken += RANDOM_BYTES;
  return toId(prefix, Date.now(), stock.subarray(taken - RANDOM_BYTES, taken));
}
