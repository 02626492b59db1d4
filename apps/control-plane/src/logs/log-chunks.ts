import { Injectable } from '@nestjs/common';
import type { AttemptId, LogEncoding, LogStream } from '@muster/protocol';
import { Database } from '../database/database.js';
import { inflateChunk } from './inflate-chunk.js';
import { countLineEnds } from './line-ends.js';
import { LOG_CHUNK_OF_LINE_END, LOG_CHUNKS_READ } from './log-reader.sql.js';

const LINE_END = 0x0a;
/** Chunks held at once by one reader, and their bytes as printed; as much again is on its way to it. */
const CHUNKS_AT_ONCE = 64;
const BYTES_AT_ONCE = 1024 * 1024;

interface ChunkRow {
  readonly start_offset: number;
  readonly raw_length: number;
  readonly first_line: number;
  readonly line_count: number;
  readonly encoding: LogEncoding;
  readonly read_at: Date;
  readonly bytes: Buffer;
}

/** Consecutive bytes of a stream, as printed; null where they were not kept. */
export interface LogPiece {
  readonly offset: number;
  readonly length: number;
  readonly bytes: Buffer | null;
  /** Line ends before `offset`. */
  readonly firstLine: number;
  readonly readAt: Date;
}

/** Names one stream of one log. */
export interface StreamRef {
  readonly logId: AttemptId;
  readonly stream: LogStream;
}

/** The stored bytes of a stream, from any offset, a bounded number of chunks at a time. */
@Injectable()
export class LogChunks {
  constructor(private readonly database: Database) {}

  /** Pieces that follow one another without a hole from `from` to `to`, or to the end of what is stored. */
  async *read(ref: StreamRef, from: number, to: number): AsyncGenerator<LogPiece, void, undefined> {
    let at = from;
    let coming = at < to ? this.rows(ref, at, to) : null;
    while (coming !== null) {
      const rows = await coming;
      const last = rows.at(-1);
      const end = last === undefined ? at : last.start_offset + last.raw_length;
      // While these are unpacked and sent, the next are read.
      coming = at < end && end < to ? this.rows(ref, end, to) : null;
      const unpacked = rows.map((row) => unheard(unpack(row)));
      for (const [index, row] of rows.entries()) {
        const piece = cut(row, (await unpacked[index]) ?? null, at, to);
        if (piece === null) continue;
        if (piece.offset !== at) throw new Error(`Log ${ref.logId}:${ref.stream} has a hole at ${at}.`);
        at = piece.offset + piece.length;
        yield piece;
      }
    }
  }

  private rows(ref: StreamRef, at: number, to: number): Promise<ChunkRow[]> {
    return unheard(this.database.query<ChunkRow>(LOG_CHUNKS_READ, [ref.logId, ref.stream, at, to, CHUNKS_AT_ONCE, BYTES_AT_ONCE]));
  }

  /** Where line `line` (from 0) begins; null when fewer line ends are stored. */
  async offsetOfLine(ref: StreamRef, line: number): Promise<number | null> {
    if (line <= 0) return 0;
    const [row] = await this.database.query<ChunkRow>(LOG_CHUNK_OF_LINE_END, [ref.logId, ref.stream, line]);
    if (row === undefined) return null;
    const bytes = (await unpack(row)) ?? Buffer.alloc(0);
    let at = -1;
    for (let found = row.first_line; found < line; found++) at = bytes.indexOf(LINE_END, at + 1);
    return row.start_offset + at + 1;
  }
}

/** A reader may stop before it comes to this; then its failure is nobody's. */
function unheard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Null for a gap. */
async function unpack(row: ChunkRow): Promise<Buffer | null> {
  if (row.encoding === 'gap') return null;
  return row.encoding === 'gzip' ? inflateChunk(row.bytes, row.raw_length, row.raw_length) : row.bytes;
}

/** The part of a chunk between two offsets; null when there is none. */
function cut(row: ChunkRow, bytes: Buffer | null, from: number, to: number): LogPiece | null {
  const start = Math.max(from, row.start_offset);
  const end = Math.min(to, row.start_offset + row.raw_length);
  if (start >= end) return null;
  const skipped = bytes?.subarray(0, start - row.start_offset) ?? Buffer.alloc(0);
  return {
    offset: start,
    length: end - start,
    bytes: bytes?.subarray(start - row.start_offset, end - row.start_offset) ?? null,
    firstLine: row.first_line + countLineEnds(skipped),
    readAt: row.read_at,
  };
}
