import type { AttemptId } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { SYSTEM_LINES_ADD, SYSTEM_STREAMS_MOVE } from './store.sql.js';

export interface SystemLine {
  readonly logId: AttemptId;
  /** One sentence, without the line end. */
  readonly text: string;
}

interface MovedRow { log_id: AttemptId; stored_length: number; line_count: number }

/** Appends the control plane's own lines to the `system` stream of their logs; lines of one batch become one chunk a log. */
export async function storeSystemLines(connection: Connection, lines: readonly SystemLine[], nowMs: number): Promise<void> {
  if (lines.length === 0) return;
  const texts = new Map<AttemptId, { text: string; lines: number }>();
  for (const { logId, text } of lines) {
    const sofar = texts.get(logId) ?? { text: '', lines: 0 };
    texts.set(logId, { text: `${sofar.text}${text}\n`, lines: sofar.lines + 1 });
  }
  const all = [...texts].map(([logId, { text, lines: count }]) => ({ logId, text, lines: count, length: Buffer.byteLength(text) }));
  const moved = await connection.query<MovedRow>(SYSTEM_STREAMS_MOVE, [
    all.map(({ logId }) => logId),
    all.map(({ length }) => length),
    all.map(({ lines: count }) => count),
  ]);
  const ends = new Map(moved.map((row) => [row.log_id, row]));
  await connection.execute(SYSTEM_LINES_ADD, [
    all.map(({ logId }) => logId),
    all.map(({ logId, length }) => (ends.get(logId)?.stored_length ?? length) - length),
    all.map(({ logId, lines: count }) => (ends.get(logId)?.line_count ?? count) - count),
    all.map(({ lines: count }) => count),
    all.map(({ text }) => text),
    nowMs,
  ]);
}
