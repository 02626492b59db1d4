import { Inject, Injectable } from '@nestjs/common';
import { onLogChunk } from '@muster/domain';
import type { AttemptId, LogAck, LogChunk, LogStream, WorkerId } from '@muster/protocol';
import { GroupCommitLane, LaneFull } from '@muster/runtime';
import { Announcements } from '../announcements.js';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import type { Connection } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { GuardFailed, isUnavailable } from '../database/database-errors.js';
import { InvalidMessage } from '../sockets/invalid-message.js';
import { decodeChunk, type DecodedChunk } from './decode-chunk.js';
import { LOG_CHUNKS_ADD, LOG_STREAMS_ADD, LOG_STREAMS_LOCK, LOG_STREAMS_MOVE } from './log-ingest.sql.js';
import { StreamOwners } from './stream-owners.js';
import { withStreams } from './with-streams.js';

interface Item {
  readonly workerId: WorkerId;
  readonly chunk: LogChunk;
  /** Unpacking goes on while earlier batches commit; the lane keeps the order in which chunks came. */
  readonly decoded: Promise<DecodedChunk>;
}
interface StreamRow { log_id: AttemptId; stream: LogStream; stored_length: number; line_count: number }
interface Head { readonly logId: AttemptId; readonly stream: LogStream; readonly from: number; length: number; lines: number }
interface Piece { readonly head: Head; readonly chunk: LogChunk; readonly offset: number; readonly firstLine: number; readonly lineCount: number }

type Answer = LogAck | InvalidMessage;

/** Chunks in one transaction. */
const BATCH_MAX = 32;
/** Chunks waiting, at most 64 KiB each: beyond it senders are asked to come back. */
const QUEUED_MAX = 512;
const RETRY_AFTER_MS = 250;

/**
 * Stores log bytes: once each, in order, as they came. Many agents' chunks share a transaction; a chunk is stored if and
 * only if its offset is the stored length, under the lock of the stream's row, and is acknowledged after the commit.
 */
@Injectable()
export class LogIngest {
  private readonly lane = new GroupCommitLane<Item, Answer>({
    name: 'logs',
    maxBatch: BATCH_MAX,
    maxQueued: QUEUED_MAX,
    isItemFault: (error) => !isUnavailable(error),
    run: (items) => this.commit(items),
  });

  constructor(
    private readonly database: Database,
    private readonly announcements: Announcements,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  /**
   * @throws InvalidMessage when the bytes are not what the chunk says of them
   * @throws DatabaseUnavailable when nothing can be stored now
   */
  async append(workerId: WorkerId, chunk: LogChunk): Promise<LogAck> {
    const decoded = decodeChunk(chunk);
    try {
      const answer = await this.lane.submit({ workerId, chunk, decoded });
      if (answer instanceof InvalidMessage) throw answer;
      return answer;
    } catch (error) {
      if (error instanceof LaneFull) return { retryAfterMs: RETRY_AFTER_MS };
      throw error;
    }
  }

  /** Resolves when every chunk taken so far is answered; later ones are refused. */
  close(): Promise<void> {
    return this.lane.close();
  }

  private async commit(items: readonly Item[]): Promise<Answer[]> {
    const decoded = await Promise.all(items.map((item) => item.decoded));
    const lane = this.database.lane('logs');
    const owners = await StreamOwners.of(lane, items.map(({ chunk }) => chunk.attemptId), this.config.logRetentionMs);
    const names = streamsOf(items, owners);
    const { answers, moved } = await withStreams(lane, names[0].length, {
      lock: (connection) => lockHeads(connection, names),
      make: (connection) => connection.execute(LOG_STREAMS_ADD, names),
      store: async (connection, heads) => {
        const pieces: Piece[] = [];
        const answers = items.map((item, index) => place(item, decoded[index] as DecodedChunk, owners, heads, pieces));
        await store(connection, pieces);
        return { answers, moved: [...new Set(pieces.map((piece) => piece.head))] };
      },
    });
    for (const { logId, stream, length } of moved) {
      this.announcements.announce('log:appended', { logId, stream, storedLength: length });
    }
    return answers;
  }
}

const keyOf = (logId: string, stream: string): string => `${logId}:${stream}`;

/** The streams that a batch writes to, each once, as the two columns in which they travel. */
function streamsOf(items: readonly Item[], owners: StreamOwners): readonly [string[], string[]] {
  const wanted = new Map<string, readonly [string, string]>();
  for (const { workerId, chunk } of items) {
    const logId = owners.logIdFor(workerId, chunk.attemptId);
    if (logId !== undefined) wanted.set(keyOf(logId, chunk.stream), [logId, chunk.stream]);
  }
  return [[...wanted.values()].map(([logId]) => logId), [...wanted.values()].map(([, stream]) => stream)];
}

async function lockHeads(connection: Connection, names: readonly [string[], string[]]): Promise<Map<string, Head>> {
  if (names[0].length === 0) return new Map();
  const rows = await connection.query<StreamRow>(LOG_STREAMS_LOCK, names);
  return new Map(
    rows.map((row) => [
      keyOf(row.log_id, row.stream),
      { logId: row.log_id, stream: row.stream, from: row.stored_length, length: row.stored_length, lines: row.line_count },
    ]),
  );
}

/** Decides about one chunk; what is to be stored is added to `pieces`. */
function place(item: Item, decoded: DecodedChunk, owners: StreamOwners, heads: Map<string, Head>, pieces: Piece[]): Answer {
  const logId = owners.logIdFor(item.workerId, item.chunk.attemptId);
  const head = logId && heads.get(keyOf(logId, item.chunk.stream));
  if (!head) return { gone: true };
  if ('refused' in decoded) return new InvalidMessage('bytes', decoded.refused);
  const decision = onLogChunk(head.length, item.chunk);
  if (decision.store) {
    pieces.push({ head, chunk: item.chunk, offset: head.length, firstLine: head.lines, lineCount: decoded.lineCount });
    head.length = decision.storedLength;
    head.lines += decoded.lineCount;
  }
  return { storedLength: decision.storedLength };
}

async function store(connection: Connection, pieces: readonly Piece[]): Promise<void> {
  if (pieces.length === 0) return;
  let position = 1;
  const starts = pieces.map(({ chunk }) => {
    const start = position;
    position += chunk.bytes.byteLength;
    return start;
  });
  await connection.execute(LOG_CHUNKS_ADD, [
    Buffer.concat(pieces.map(({ chunk }) => chunk.bytes)),
    pieces.map(({ head }) => head.logId),
    pieces.map(({ head }) => head.stream),
    pieces.map(({ offset }) => offset),
    pieces.map(({ chunk }) => chunk.rawLength),
    pieces.map(({ firstLine }) => firstLine),
    pieces.map(({ lineCount }) => lineCount),
    pieces.map(({ chunk }) => chunk.encoding),
    pieces.map(() => null),
    pieces.map(({ chunk }) => chunk.readAt),
    starts,
    pieces.map(({ chunk }) => chunk.bytes.byteLength),
  ]);
  const heads = [...new Set(pieces.map(({ head }) => head))];
  const movedCount = await connection.execute(LOG_STREAMS_MOVE, [
    heads.map(({ logId }) => logId),
    heads.map(({ stream }) => stream),
    heads.map(({ from }) => from),
    heads.map(({ length }) => length),
    heads.map(({ lines }) => lines),
  ]);
  if (movedCount !== heads.length) throw new GuardFailed('log_stream', heads.length, movedCount);
}
