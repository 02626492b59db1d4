import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

const inflate = promisify(gunzip);

/** The smallest buffer zlib works with. */
const BUFFER_BYTES_MIN = 64;

/**
 * Unpacks a chunk of a log in one visit to the thread pool: the buffer holds all of it and one byte more. With zlib's own
 * of 16 KiB a chunk takes five visits and twice the processor time.
 *
 * @param rawLength how long it is said to be
 * @param bytesMax rejects when it is longer than this
 */
export function inflateChunk(packed: Uint8Array, rawLength: number, bytesMax: number): Promise<Buffer> {
  return inflate(packed, { maxOutputLength: bytesMax, chunkSize: Math.max(BUFFER_BYTES_MIN, rawLength + 1) });
}
