import { gunzipSync } from 'node:zlib';
import { LIMITS } from '@muster/protocol';
import type { AttemptId, LogAck, LogChunk } from '@muster/protocol';

interface StoredPiece {
  readonly offset: number;
  readonly length: number;
  /** Null for a gap. */
  readonly bytes: Buffer | null;
}

/**
 * Keeps log bytes by the control plane's rule, in memory: a chunk is stored if and only if it begins where the stored
 * bytes end, and the answer is where they end now. Throws on a chunk that is not what it says, because a fake that
 * forgives hides mistakes.
 */
export class FakeLogStore {
  private readonly streams = new Map<string, StoredPiece[]>();
  private readonly logIds = new Map<AttemptId, AttemptId>();
  private readonly unwanted = new Set<AttemptId>();

  /** Chunks offered, stored or not. */
  offered = 0;

  append(chunk: LogChunk): LogAck {
    this.offered += 1;
    if (this.unwanted.has(chunk.attemptId)) return { gone: true };
    const pieces = this.piecesOf(chunk.attemptId, chunk.stream);
    const storedLength = lengthOf(pieces);
    if (chunk.offset !== storedLength) return { storedLength };
    const bytes = decode(chunk);
    pieces.push({ offset: chunk.offset, length: chunk.rawLength, bytes });
    return { storedLength: storedLength + chunk.rawLength };
  }

  /** From now on chunks of `attemptId` continue the log that `earlier` began. */
  continueLog(attemptId: AttemptId, earlier: AttemptId): void {
    this.logIds.set(attemptId, this.logIds.get(earlier) ?? earlier);
  }

  /** Every later chunk of this attempt is answered with `gone`. */
  refuse(attemptId: AttemptId): void {
    this.unwanted.add(attemptId);
  }

  storedLength(attemptId: AttemptId, stream: LogChunk['stream'] = 'output'): number {
    return lengthOf(this.piecesOf(attemptId, stream));
  }

  /** The bytes that were kept, gaps left out. */
  bytes(attemptId: AttemptId, stream: LogChunk['stream'] = 'output'): Buffer {
    return Buffer.concat(this.piecesOf(attemptId, stream).flatMap((piece) => piece.bytes ?? []));
  }

  gaps(attemptId: AttemptId, stream: LogChunk['stream'] = 'output'): readonly { offset: number; length: number }[] {
    const gaps = this.piecesOf(attemptId, stream).filter((piece) => piece.bytes === null);
    return gaps.map(({ offset, length }) => ({ offset, length }));
  }

  private piecesOf(attemptId: AttemptId, stream: string): StoredPiece[] {
    const key = `${this.logIds.get(attemptId) ?? attemptId}:${stream}`;
    const pieces = this.streams.get(key) ?? [];
    this.streams.set(key, pieces);
    return pieces;
  }
}

function lengthOf(pieces: readonly StoredPiece[]): number {
  const last = pieces.at(-1);
  return last ? last.offset + last.length : 0;
}

function decode(chunk: LogChunk): Buffer | null {
  if (chunk.encoding === 'gap') {
    if (chunk.bytes.byteLength > 0 || chunk.rawLength < 1) throw new Error('A gap carries a length and no bytes.');
    return null;
  }
  const bytes = chunk.encoding === 'gzip' ? gunzipSync(chunk.bytes) : Buffer.from(chunk.bytes);
  if (bytes.length !== chunk.rawLength || bytes.length > LIMITS.logChunkBytesMax) {
    throw new Error(`A chunk says ${chunk.rawLength} bytes and holds ${bytes.length}.`);
  }
  return bytes;
}
