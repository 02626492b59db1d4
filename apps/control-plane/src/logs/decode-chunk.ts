import { LIMITS, type LogChunk } from '@muster/protocol';
import { releaseAllocation } from '@muster/runtime';
import { inflateChunk } from './inflate-chunk.js';
import { countLineEnds } from './line-ends.js';

/** What the server makes sure of before a chunk may be stored. `refused` says what was wrong with it. */
export type DecodedChunk = { readonly lineCount: number; readonly raw?: Buffer } | { readonly refused: string };

/**
 * Unpacks a chunk with a hard limit, compares its length with what the sender said, and counts its line ends. The bytes
 * are stored as they came; unpacking in the thread pool proves that they can be read again. Never rejects.
 *
 * @param isKept whether the bytes as printed are answered, too: somebody waits for them
 */
export async function decodeChunk(chunk: LogChunk, isKept = false): Promise<DecodedChunk> {
  if (chunk.encoding === 'gap') {
    return chunk.bytes.byteLength === 0 ? { lineCount: 0 } : { refused: 'A gap carries no bytes.' };
  }
  if (chunk.rawLength > LIMITS.logChunkBytesMax) {
    return { refused: `A chunk holds at most ${LIMITS.logChunkBytesMax} bytes, this one says ${chunk.rawLength}.` };
  }
  if (chunk.encoding === 'identity') return inspect(chunk, chunk.bytes, isKept);
  try {
    // One byte more than was said tells a longer one without unpacking the rest of it.
    const sizeBytes = chunk.rawLength + 1;
    const raw = await inflateChunk(chunk.bytes, chunk.rawLength, sizeBytes);
    const decoded = inspect(chunk, raw, isKept);
    // zlib answers a part of its buffer, which small ones share with others.
    if (!isKept) releaseAllocation(raw, sizeBytes);
    return decoded;
  } catch {
    return { refused: `The bytes are not gzip of ${chunk.rawLength} bytes.` };
  }
}

function inspect(chunk: LogChunk, raw: Uint8Array, isKept: boolean): DecodedChunk {
  if (raw.byteLength !== chunk.rawLength) {
    return { refused: `The chunk says ${chunk.rawLength} bytes and holds ${raw.byteLength}.` };
  }
  const lineCount = countLineEnds(raw);
  return isKept ? { lineCount, raw: Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength) } : { lineCount };
}
