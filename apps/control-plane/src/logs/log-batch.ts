import { onLogChunk } from '@muster/domain';
import type { AttemptId, LogAck, LogChunk, LogStream, WorkerId } from '@muster/protocol';
import { InvalidMessage } from '../sockets/invalid-message.js';
import type { DecodedChunk } from './decode-chunk.js';
import type { OpenHeads, Writer } from './stream-heads.js';

/** One chunk that came in, unpacked. */
export interface TakenChunk {
  readonly workerId: WorkerId;
  readonly chunk: LogChunk;
  readonly decoded: DecodedChunk;
}

/** A chunk that is to be stored, at its place. */
export interface PlacedChunk {
  readonly move: StreamMove;
  readonly chunk: LogChunk;
  readonly offset: number;
  readonly firstLine: number;
  readonly lineCount: number;
  /** As printed, if somebody follows. */
  readonly raw: Buffer | undefined;
}

/** How far a batch moves the end of a stream. */
export interface StreamMove {
  readonly logId: AttemptId;
  readonly stream: LogStream;
  readonly from: number;
  length: number;
  lines: number;
  readonly writers: Set<Writer>;
}

export type ChunkAnswer = LogAck | InvalidMessage;

export interface BatchPlan {
  /** One for each chunk, in its order; true once the batch is committed. */
  readonly answers: readonly ChunkAnswer[];
  readonly chunks: readonly PlacedChunk[];
  readonly moves: readonly StreamMove[];
  /** Their streams are only remembered, and nothing that is stored would prove the memory right. */
  readonly doubtful: readonly Writer[];
}

export const writerOf = ({ workerId, chunk }: Pick<TakenChunk, 'workerId' | 'chunk'>): Writer => ({
  attemptId: chunk.attemptId,
  workerId,
  stream: chunk.stream,
});

/** Decides about the chunks of a batch, in the order in which they came: each continues what is stored, or is not stored. */
export function planBatch(taken: readonly TakenChunk[], heads: OpenHeads): BatchPlan {
  const moves = new Map<string, StreamMove>();
  const chunks: PlacedChunk[] = [];
  const answers = taken.map((item): ChunkAnswer => {
    const move = moveOf(writerOf(item), heads, moves);
    if (move === undefined) return { gone: true };
    if ('refused' in item.decoded) return new InvalidMessage('bytes', item.decoded.refused);
    return place(item.chunk, item.decoded, move, chunks);
  });
  const moved = [...moves.values()].filter(({ from, length }) => from < length);
  const unmoved = [...moves.values()].filter(({ from, length }) => from === length);
  const doubtful = unmoved.flatMap(({ writers }) => [...writers].filter((writer) => !heads.isFresh(writer)));
  return { answers, chunks, moves: moved, doubtful };
}

function moveOf(writer: Writer, heads: OpenHeads, moves: Map<string, StreamMove>): StreamMove | undefined {
  const head = heads.of(writer);
  if (head === undefined) return undefined;
  const key = `${head.logId} ${writer.stream}`;
  const before = moves.get(key);
  const move = before ?? { logId: head.logId, stream: writer.stream, from: head.length, length: head.length, lines: head.lines, writers: new Set() };
  move.writers.add(writer);
  moves.set(key, move);
  return move;
}

function place(chunk: LogChunk, decoded: Extract<DecodedChunk, { lineCount: number }>, move: StreamMove, chunks: PlacedChunk[]): LogAck {
  const decision = onLogChunk(move.length, chunk);
  if (decision.store) {
    chunks.push({ move, chunk, offset: move.length, firstLine: move.lines, lineCount: decoded.lineCount, raw: decoded.raw });
    move.length = decision.storedLength;
    move.lines += decoded.lineCount;
  }
  return { storedLength: decision.storedLength };
}
