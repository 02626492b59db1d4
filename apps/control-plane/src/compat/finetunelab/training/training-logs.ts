import { Injectable } from '@nestjs/common';
import { LIMITS } from '@muster/protocol';
import { Database } from '../../../database/database.js';
import type { JobTerm } from '../../../keys/job-tokens.js';
import { LogChunks } from '../../../logs/log-chunks.js';
import { WorkerDesk } from '../../../worker-life/worker-desk.js';
import { ForeignRefusal } from '../../foreign-refusal.js';
import { Places } from '../../places.js';
import { toElements, toLine } from './log-lines.js';
import type { LinesWanted } from './training-bodies.js';
import { TRAINING_LOG_HEAD, TRAINING_LOG_LOCK } from './training.sql.js';

interface HeadRow { readonly stored_length: number; readonly line_count: number }

/** The end of a log moves under a batch only where the job also writes to it by our own interface. */
const TURNS_MAX = 50;
/** Each keeps a connection of those that answer people, until its lines are committed: most of them stay theirs. */
const STORED_AT_ONCE = 2;

/** Lines of training jobs, in the log every job has. */
@Injectable()
export class TrainingLogs {
  /** The last batch of each log that is being stored here: batches reach it whole, in the order in which they came. */
  private readonly storing = new Map<string, Promise<void>>();
  private readonly places = new Places(STORED_AT_ONCE);

  constructor(
    private readonly desk: WorkerDesk,
    private readonly chunks: LogChunks,
    private readonly database: Database,
  ) {}

  /** Stores them after those before, whole. */
  async append(term: JobTerm, elements: readonly string[]): Promise<void> {
    if (elements.length === 0) return;
    const before = this.storing.get(term.logId) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(() => this.places.take(() => this.store(term, elements)));
    this.storing.set(term.logId, mine);
    try {
      await mine;
    } finally {
      if (this.storing.get(term.logId) === mine) this.storing.delete(term.logId);
    }
  }

  async read({ logId }: JobTerm, { limit, offset }: LinesWanted): Promise<{ readonly lines: string[]; readonly total: number }> {
    const head = await this.head(logId);
    const ref = { logId, stream: 'output' } as const;
    const ends = [offset, Math.min(offset + limit, head.line_count)].map((line) => this.chunks.offsetOfLine(ref, line));
    const [from, to] = await Promise.all(ends);
    if (offset >= head.line_count || from == null) return { lines: [], total: head.line_count };
    const pieces: Buffer[] = [];
    for await (const { bytes } of this.chunks.read(ref, from, to ?? head.stored_length)) pieces.push(bytes ?? Buffer.alloc(0));
    return { lines: toElements(Buffer.concat(pieces).toString()), total: head.line_count };
  }

  /** Batches that other replicas took wait for the lock: what is acknowledged is told by lengths alone, and theirs may be equal. */
  private async store(term: JobTerm, elements: readonly string[]): Promise<void> {
    await this.database.transaction(async (connection) => {
      await connection.query(TRAINING_LOG_LOCK, [term.logId]);
      const [head] = await connection.query<HeadRow>(TRAINING_LOG_HEAD, [term.logId]);
      let offset = head?.stored_length ?? 0;
      for (const bytes of toChunks(elements)) offset = await this.storeOne(term, bytes, offset);
    });
  }

  /** Resolves with the end of the log after it. */
  private async storeOne(term: JobTerm, bytes: Buffer, from: number): Promise<number> {
    let offset = from;
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      const { attemptId, epoch } = term;
      const readAt = new Date().toISOString();
      const ack = await this.desk.append(term, { attemptId, epoch, stream: 'output', offset, rawLength: bytes.length, encoding: 'identity', readAt, bytes });
      if ('kind' in ack) throw new ForeignRefusal(401, 'The worker of this job may not speak any more.');
      if ('gone' in ack) throw new ForeignRefusal(410, 'The job ended so long ago that its log is not taken any more.');
      if ('retryAfterMs' in ack) throw new ForeignRefusal(503, 'Too many log bytes at once; send the lines again.', 1);
      if (ack.storedLength === offset + bytes.length) return ack.storedLength;
      offset = ack.storedLength;
    }
    throw new ForeignRefusal(503, 'Too many batches of this job at once; send the lines again.', 1);
  }

  private async head(logId: string): Promise<HeadRow> {
    const [row] = await this.database.query<HeadRow>(TRAINING_LOG_HEAD, [logId]);
    return row ?? { stored_length: 0, line_count: 0 };
  }
}

/** As few chunks as hold them, cut between lines wherever a line fits into one. */
function* toChunks(elements: readonly string[]): Generator<Buffer> {
  let waiting: Buffer[] = [];
  let length = 0;
  for (const element of elements) {
    const line = Buffer.from(toLine(element));
    if (length > 0 && length + line.length > LIMITS.logChunkBytesMax) {
      yield Buffer.concat(waiting);
      [waiting, length] = [[], 0];
    }
    for (let at = 0; at < line.length; at += LIMITS.logChunkBytesMax) {
      const part = line.subarray(at, at + LIMITS.logChunkBytesMax);
      if (part.length === LIMITS.logChunkBytesMax) yield part;
      else {
        waiting.push(part);
        length += part.length;
      }
    }
  }
  if (length > 0) yield Buffer.concat(waiting);
}
