import { Inject, Injectable } from '@nestjs/common';
import type { LogAck, LogChunk, WorkerId } from '@muster/protocol';
import { GroupCommitLane, LaneFull, releaseBytes } from '@muster/runtime';
import { Announcements } from '../announcements.js';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import type { ConnectionPool } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { GuardFailed, isUnavailable } from '../database/database-errors.js';
import { InvalidMessage } from '../sockets/invalid-message.js';
import { decodeChunk, type DecodedChunk } from './decode-chunk.js';
import { fairBatch } from './fair-batch.js';
import { planBatch, writerOf, type BatchPlan, type ChunkAnswer, type PlacedChunk, type TakenChunk } from './log-batch.js';
import { LOG_CHUNKS_APPEND } from './log-ingest.sql.js';
import { LogTails } from './log-tails.js';
import { StreamHeads } from './stream-heads.js';

/** Chunks in one transaction. */
const BATCH_MAX = 64;
/** Bytes in one transaction, as they travel: what comes next waits no longer than these take. */
const BATCH_BYTES_MAX = 512 * 1024;
/** Chunks waiting, and bytes of them as they came and unpacked: beyond it senders are asked to come back. */
const QUEUED_MAX = 2_048;
const HELD_BYTES_MAX = 64 * 1024 * 1024;
const RETRY_AFTER_MS = 250;
/** A stream that moves under a batch each time it was read is not only followed by this replica: then nobody knows. */
const ROUNDS_MAX = 4;

/**
 * Stores log bytes: once each, in order, as they came. Many agents' chunks share a statement, which is a transaction; a
 * chunk is stored if and only if its offset is the stored length, and is acknowledged after the commit.
 */
@Injectable()
export class LogIngest {
  private readonly heads: StreamHeads;
  private readonly retentionMs: number;
  private heldBytes = 0;
  /** The last chunk of each stream that is being unpacked: chunks reach the lane in the order in which they came. */
  private readonly unpacking = new Map<string, Promise<unknown>>();
  private readonly lane = new GroupCommitLane<TakenChunk, ChunkAnswer>({
    name: 'logs',
    maxBatch: BATCH_MAX,
    maxQueued: QUEUED_MAX,
    choose: (waiting) => fairBatch(waiting, { sizeOf, streamOf, countMax: BATCH_MAX, bytesMax: BATCH_BYTES_MAX }),
    isItemFault: (error) => !isUnavailable(error),
    run: (items) => this.commit(items),
  });

  constructor(
    private readonly database: Database,
    private readonly announcements: Announcements,
    private readonly tails: LogTails,
    @Inject(CONFIG) config: ControlPlaneConfig,
  ) {
    this.retentionMs = config.logRetentionMs;
    this.heads = new StreamHeads(this.retentionMs);
  }

  /**
   * @throws InvalidMessage when the bytes are not what the chunk says of them
   * @throws DatabaseUnavailable when nothing can be stored now
   */
  async append(workerId: WorkerId, chunk: LogChunk): Promise<LogAck> {
    const weight = chunk.bytes.byteLength + (chunk.encoding === 'gzip' ? Math.min(chunk.rawLength, HELD_BYTES_MAX) : 0);
    if (this.heldBytes > 0 && this.heldBytes + weight > HELD_BYTES_MAX) return { retryAfterMs: RETRY_AFTER_MS };
    this.heldBytes += weight;
    try {
      const { answer } = await this.unpacked(workerId, chunk);
      const given = await answer;
      if (given instanceof InvalidMessage) throw given;
      // What is printed as it came may still be on its way to followers.
      if (chunk.encoding === 'gzip') releaseBytes(chunk.bytes);
      return given;
    } catch (error) {
      if (error instanceof LaneFull) return { retryAfterMs: RETRY_AFTER_MS };
      throw error;
    } finally {
      this.heldBytes -= weight;
    }
  }

  /** Resolves when every chunk taken so far is answered; later ones are refused. */
  async close(): Promise<void> {
    await Promise.all(this.unpacking.values());
    await this.lane.close();
  }

  /** Unpacks a chunk, and hands it to the lane after those of its stream that came before; never rejects itself. */
  private unpacked(workerId: WorkerId, chunk: LogChunk): Promise<{ readonly answer: Promise<ChunkAnswer> }> {
    const writer = writerOf({ workerId, chunk });
    const isKept = this.tails.isFollowed(this.heads.remember(writer)?.logId ?? chunk.attemptId);
    const key = streamOf({ workerId, chunk });
    const before = this.unpacking.get(key);
    const mine = Promise.all([decodeChunk(chunk, isKept), before]).then(([decoded]: [DecodedChunk, unknown]) => {
      if (this.unpacking.get(key) === mine) this.unpacking.delete(key);
      const answer = this.lane.submit({ workerId, chunk, decoded });
      // Told to whoever waits for it, which may be a moment later.
      answer.catch(() => undefined);
      return { answer };
    });
    this.unpacking.set(key, mine);
    return mine;
  }

  private async commit(items: readonly TakenChunk[]): Promise<readonly ChunkAnswer[]> {
    const lane = this.database.lane('logs');
    const writers = items.map(writerOf);
    try {
      for (let round = 1; ; round++) {
        const plan = planBatch(items, await this.heads.of(lane, writers));
        // All of the batch: what was read in this round would only be remembered in the next.
        if (plan.doubtful.length > 0) this.heads.forget(writers);
        else if (await this.store(lane, plan)) return plan.answers;
        if (round === ROUNDS_MAX) throw new GuardFailed('log_stream', plan.moves.length, 0);
      }
    } catch (error) {
      // Whether it was stored is not known.
      this.heads.forget(writers);
      throw error;
    }
  }

  /** False when nothing was stored, because something was not as it is remembered. */
  private async store(lane: ConnectionPool, plan: BatchPlan): Promise<boolean> {
    const { chunks, moves } = plan;
    if (chunks.length === 0) return true;
    const bytes = Buffer.concat(chunks.map(({ chunk }) => chunk.bytes));
    const movedCount = await lane.execute(LOG_CHUNKS_APPEND, columnsOf(plan, this.retentionMs, bytes));
    releaseBytes(bytes);
    if (movedCount === 0) {
      for (const { writers } of moves) this.heads.forget([...writers]);
      return false;
    }
    for (const { logId, length, lines, writers } of moves) for (const writer of writers) this.heads.keep(writer, { logId, length, lines });
    for (const piece of chunks) this.hand(piece);
    for (const { logId, stream, length } of moves) this.announcements.announce('log:appended', { logId, stream, storedLength: length });
    return true;
  }

  private hand({ move: { logId, stream }, chunk, offset, firstLine, raw }: PlacedChunk): void {
    if (raw === undefined && chunk.encoding !== 'gap') return;
    const bytes = raw ?? null;
    this.tails.hand({ logId, stream, offset, length: chunk.rawLength, bytes, firstLine, readAt: new Date(chunk.readAt) });
  }
}

const sizeOf = ({ chunk }: TakenChunk): number => chunk.bytes.byteLength;
const streamOf = ({ workerId, chunk }: Pick<TakenChunk, 'workerId' | 'chunk'>): string => `${workerId} ${chunk.attemptId} ${chunk.stream}`;

function columnsOf({ chunks, moves }: BatchPlan, retentionMs: number, bytes: Buffer): unknown[] {
  const spoken = moves.flatMap(({ logId, writers }) => {
    const senders = new Map([...writers].map(({ attemptId, workerId }) => [attemptId, workerId]));
    return [...senders].map(([attemptId, workerId]) => ({ attemptId, workerId, logId }));
  });
  let position = 1;
  const starts = chunks.map(({ chunk }) => {
    const start = position;
    position += chunk.bytes.byteLength;
    return start;
  });
  return [
    spoken.map(({ attemptId }) => attemptId),
    spoken.map(({ workerId }) => workerId),
    spoken.map(({ logId }) => logId),
    retentionMs,
    moves.map(({ logId }) => logId),
    moves.map(({ stream }) => stream),
    moves.map(({ from }) => from),
    moves.map(({ length }) => length),
    moves.map(({ lines }) => lines),
    bytes,
    chunks.map(({ move }) => move.logId),
    chunks.map(({ move }) => move.stream),
    chunks.map(({ offset }) => offset),
    chunks.map(({ chunk }) => chunk.rawLength),
    chunks.map(({ firstLine }) => firstLine),
    chunks.map(({ lineCount }) => lineCount),
    chunks.map(({ chunk }) => chunk.encoding),
    chunks.map(({ chunk }) => chunk.readAt),
    starts,
    chunks.map(({ chunk }) => chunk.bytes.byteLength),
  ];
}
