import type { AttemptId, LogStream, WorkerId } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { GuardFailed } from '../database/database-errors.js';
import { LOG_STREAMS_OPEN } from './log-ingest.sql.js';

/** Who writes to which stream. */
export interface Writer {
  readonly attemptId: AttemptId;
  readonly workerId: WorkerId;
  readonly stream: LogStream;
}

/** How far a stream has come, as it was last read or stored by this replica. */
export interface StreamHead {
  readonly logId: AttemptId;
  readonly length: number;
  /** Line ends before `length`. */
  readonly lines: number;
}

interface OpenRow {
  readonly attempt_id: AttemptId;
  readonly worker_id: WorkerId;
  readonly stream: LogStream;
  readonly log_id: AttemptId;
  readonly stored_length: number | null;
  readonly line_count: number | null;
}

/** A few hundred bytes each. */
const REMEMBERED_MAX = 10_000;
/** A row that another transaction makes is there at the second look; a third covers its removal in between. */
const LOOKS_MAX = 3;

const keyOf = ({ attemptId, workerId, stream }: Writer): string => `${attemptId} ${workerId} ${stream}`;

/**
 * Remembers where streams stand, so that a chunk that continues one is stored by a single statement. A hint and no more:
 * that statement stores nothing unless all of it still holds, and what is not stored is answered from the database.
 */
export class StreamHeads {
  private readonly remembered = new Map<string, StreamHead>();

  constructor(
    private readonly retentionMs: number,
    private readonly rememberedMax = REMEMBERED_MAX,
  ) {}

  /**
   * The heads of those that may write; `isFresh` says which of them were read just now. One that has none may not write:
   * the database said so.
   *
   * @throws GuardFailed when that is not known, because a row is being made all the time
   */
  async of(connection: Connection, writers: readonly Writer[]): Promise<OpenHeads> {
    // Apart from what is remembered, where the new ones may take the place of the others.
    const heads = this.known(writers);
    const asked = new Map(writers.map((writer) => [keyOf(writer), writer]));
    for (const key of heads.keys()) asked.delete(key);
    const fresh = new Set(asked.keys());
    let unknown: readonly Writer[] = [...asked.values()];
    for (let looks = 0; unknown.length > 0; looks++) {
      if (looks === LOOKS_MAX) throw new GuardFailed('log_stream', unknown.length, 0);
      unknown = await this.read(connection, unknown, heads);
    }
    return { of: (writer) => heads.get(keyOf(writer)), isFresh: (writer) => fresh.has(keyOf(writer)) };
  }

  /** As it is remembered; undefined when it is not. */
  remember(writer: Writer): StreamHead | undefined {
    return this.remembered.get(keyOf(writer));
  }

  /** What was committed, or read. Those remembered longest are forgotten first. */
  keep(writer: Writer, head: StreamHead): void {
    const key = keyOf(writer);
    this.remembered.delete(key);
    this.remembered.set(key, head);
    const [oldest] = this.remembered.keys();
    if (this.remembered.size > this.rememberedMax && oldest !== undefined) this.remembered.delete(oldest);
  }

  /** They are read again before anything is stored or answered. */
  forget(writers: readonly Writer[]): void {
    for (const writer of writers) this.remembered.delete(keyOf(writer));
  }

  private known(writers: readonly Writer[]): Map<string, StreamHead> {
    const entries = writers.map((writer) => [keyOf(writer), this.remember(writer)] as const);
    return new Map(entries.filter((entry): entry is readonly [string, StreamHead] => entry[1] !== undefined));
  }

  /** Adds the heads that the database knows, and answers the writers whose rows another transaction is making. */
  private async read(connection: Connection, asked: readonly Writer[], heads: Map<string, StreamHead>): Promise<readonly Writer[]> {
    const columns = [asked.map(({ attemptId }) => attemptId), asked.map(({ workerId }) => workerId), asked.map(({ stream }) => stream)];
    const rows = await connection.query<OpenRow>(LOG_STREAMS_OPEN, [...columns, this.retentionMs]);
    const unknown: Writer[] = [];
    for (const row of rows) {
      const writer = { attemptId: row.attempt_id, workerId: row.worker_id, stream: row.stream };
      if (row.stored_length === null) {
        unknown.push(writer);
        continue;
      }
      const head = { logId: row.log_id, length: row.stored_length, lines: row.line_count ?? 0 };
      this.keep(writer, head);
      heads.set(keyOf(writer), head);
    }
    return unknown;
  }
}

/** What is known for one batch. */
export interface OpenHeads {
  /** Undefined when it may not write to such a stream. */
  of(writer: Writer): StreamHead | undefined;
  isFresh(writer: Writer): boolean;
}
