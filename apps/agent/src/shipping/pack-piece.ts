import { promisify } from 'node:util';
import { constants, gzip, gzipSync } from 'node:zlib';
import type { LogChunk } from '@muster/protocol';
import { releaseAllocation, releaseBytes } from '@muster/runtime';

const compress = promisify(gzip);

export type PackedPiece = Pick<LogChunk, 'encoding' | 'bytes'>;

/** Smaller pieces are not worth compressing. */
const COMPRESS_BYTES_MIN = 256;
/** Smaller pieces are not worth a trip through the thread pool, where they would wait behind large ones. */
const POOL_BYTES_MIN = 8 * 1024;
/** One thread of the pool is left for everything else the agent does. */
const AT_ONCE_MAX = 3;

const LEVEL = constants.Z_BEST_SPEED;

let running = 0;
const waiting: (() => void)[] = [];

/**
 * Compresses a piece of a log, if that makes it smaller; large ones off the main thread, few at a time. The bytes given are the
 * caller's no more.
 */
export async function packPiece(raw: Buffer): Promise<PackedPiece> {
  if (raw.length < COMPRESS_BYTES_MIN) return { encoding: 'identity', bytes: raw };
  const packed = raw.length < POOL_BYTES_MIN ? gzipSync(raw, { level: LEVEL }) : await packInPool(raw);
  if (packed.length >= raw.length) return { encoding: 'identity', bytes: raw };
  releaseBytes(raw);
  return { encoding: 'gzip', bytes: packed };
}

async function packInPool(raw: Buffer): Promise<Buffer> {
  // With zlib's own buffer of 16 KiB a piece takes a visit to the thread pool for each.
  const chunkSize = Math.max(1_024, raw.length >>> 1);
  const roomy = await inTurn(() => compress(raw, { level: LEVEL, chunkSize }));
  const packed = Buffer.from(roomy);
  // Smaller ones share their memory with others.
  releaseAllocation(roomy, chunkSize);
  return packed;
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE_MAX) await new Promise<void>((resolve) => waiting.push(resolve));
  else running += 1;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}
