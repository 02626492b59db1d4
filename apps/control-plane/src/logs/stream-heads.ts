import type { AttemptId, LogStream, WorkerId } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
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

  constructor(private readonly retentionMs: number) {}

  /** The heads of those that may write, by `keyOf`; `isFresh` says which of them were read just now. */
  async of(connection: Connection, writers: readonly Writer[]): Promise<OpenHeads> {
    const unknown = new Map(writers.filter((writer) => !this.remembered.has(keyOf(writer))).map((writer) => [keyOf(writer), writer]));
    const fresh = new Set(unknown.keys());
    for (let looks = 0; unknown.size > 0 && looks < LOOKS_MAX; looks++) {
      const asked = [...unknown.values()];
      const columns = [asked.map(({ attemptId }) => attemptId), asked.map(({ workerId }) => workerId), asked.map(({ stream }) => stream)];
      const rows = await connection.query<OpenRow>(LOG_STREAMS_OPEN, [...columns, this.retentionMs]);
      unknown.clear();
      for (const row of rows) {
        const writer = { attemptId: row.attempt_id, workerId: row.worker_id, stream: row.stream };
        if (row.stored_length === null) unknown.set(keyOf(writer), writer);
        else this.keep(writer, { logId: row.log_id, length: row.stored_length, lines: row.line_count ?? 0 });
      }
    }
    const heads = new Map(writers.map((writer) => [keyOf(writer), this.remembered.get(keyOf(writer))]));
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
    if (this.remembered.size > REMEMBERED_MAX && oldest !== undefined) this.remembered.delete(oldest);
  }

  /** They are read again before anything is stored or answered. */
  forget(writers: readonly Writer[]): void {
    for (const writer of writers) this.remembered.delete(keyOf(writer));
  }
}

/** What is known for one batch. */
export interface OpenHeads {
  of(writer: Writer): StreamHead | undefined;
  isFresh(writer: Writer): boolean;
}
