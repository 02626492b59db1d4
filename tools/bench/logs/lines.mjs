// The text that log jobs print: lines of equal length, each with its number, with times and words and figures that change, so
// that it compresses as logs do and no line equals another. The same seed gives the same bytes in every process.

const WORDS = [
  'loaded',
  'batch',
  'epoch',
  'tensor',
  'shard',
  'worker',
  'gradient',
  'checkpoint',
  'restored',
  'from',
  'skipped',
  'validation',
  'accuracy',
  'improved',
  'cache',
  'miss',
  'retrying',
  'download',
  'finished',
  'in',
];
const LEVELS = ['INFO ', 'INFO ', 'INFO ', 'DEBUG', 'WARN '];
/** Lines that are made once and printed again and again with new numbers: more than gzip remembers. */
const PATTERNS = 2_000;
const NUMBER_AT = 0;
const NUMBER_DIGITS = 10;

/** Numbers between 0 and 1, the same for the same seed (mulberry32). */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * The lines `0` to `count - 1` as buffers of about 400 kB that are used again: write one before asking for the next.
 *
 * @param {{ count: number, lineBytes: number, seed?: number }} options
 * @returns {Generator<Buffer, void, undefined>}
 */
export function* linesOf({ count, lineBytes, seed = 1 }) {
  const block = Buffer.from(patternsOf(lineBytes, seed));
  for (let first = 0; first < count; first += PATTERNS) {
    const lines = Math.min(PATTERNS, count - first);
    for (let index = 0; index < lines; index++) putNumber(block, index * lineBytes + NUMBER_AT, first + index);
    yield block.subarray(0, lines * lineBytes);
  }
}

/** How line `number` begins; stands in the log once. */
export function startOfLine(number) {
  return `${String(number).padStart(NUMBER_DIGITS, '0')} `;
}

function putNumber(block, at, number) {
  for (let digit = NUMBER_DIGITS - 1, left = number; digit >= 0; digit--, left = Math.floor(left / 10))
    block[at + digit] = 48 + (left % 10);
}

function patternsOf(lineBytes, seed) {
  const random = randomOf(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  let text = '';
  for (let index = 0; index < PATTERNS; index++) {
    let line = `${startOfLine(0)}2026-11-22T12:${String(index % 60).padStart(2, '0')}:00.${String(Math.floor(random() * 1000)).padStart(3, '0')}Z ${pick(LEVELS)} loss=${random().toFixed(6)} lr=${(random() / 1000).toFixed(6)}`;
    while (line.length < lineBytes - 1)
      line += random() < 0.06 ? ` ${Math.floor(random() * 2 ** 32).toString(16)}` : ` ${pick(WORDS)}`;
    text += `${line.slice(0, lineBytes - 1)}\n`;
  }
  return text;
}
