const LINE_END = 0x0a;
/** Jumping from line end to line end is faster than looking at every byte where lines are longer than this. */
const SHORT_LINE_BYTES = 16;
/** Line ends after which it is known which of the two it is. */
const SAMPLE = 64;

/** How many lines end in these bytes. Where the lines are short, all bytes are looked at: the cost is bounded by their number. */
export function countLineEnds(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_END); at !== -1; at = bytes.indexOf(LINE_END, at + 1)) {
    count += 1;
    if (count === SAMPLE && at < SAMPLE * SHORT_LINE_BYTES) return count + countOneByOne(bytes, at + 1);
  }
  return count;
}

function countOneByOne(bytes: Uint8Array, from: number): number {
  let count = 0;
  for (let at = from; at < bytes.length; at++) if (bytes[at] === LINE_END) count += 1;
  return count;
}
