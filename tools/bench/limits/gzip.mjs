// What compressing costs: the same bytes in the same pieces as the agent's, in Node's thread pool, and as one file.
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import { inParallel } from '../measure/waiting.mjs';

const pack = promisify(gzip);
const PIECE_BYTES = 64 * 1024;

/** MB/s of raw bytes at level 1, 4 pieces in flight, and the pieces. */
export async function gzipRate(bytes) {
  const count = Math.ceil(bytes.length / PIECE_BYTES);
  const pieces = new Array(count);
  const began = performance.now();
  await inParallel(count, 4, async (index) => {
    pieces[index] = await pack(bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES), { level: 1 });
  });
  return { rate: bytes.length / 1e6 / ((performance.now() - began) / 1000), pieces };
}

/** Share of the raw size that is left by `gzip` as people run it, the whole in one. */
export function gzipShare(bytes) {
  return gzipSync(bytes, { level: 6 }).length / bytes.length;
}
