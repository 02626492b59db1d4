import type { AttemptId } from '@muster/protocol';
import type { Transaction } from '../database/connection-pool.js';
import { SYSTEM_LINES_ADD } from './store.sql.js';

export interface SystemLine {
  readonly logId: AttemptId;
  /** One sentence, without the line end. */
  readonly text: string;
}

/** Appends the control plane's own lines to the `system` stream of their logs; lines of one batch become one chunk a log. */
export function storeSystemLines(transaction: Transaction, lines: readonly SystemLine[], nowMs: number): void {
  if (lines.length === 0) return;
  const logs = new Map<AttemptId, { text: string; lines: number }>();
  for (const { logId, text } of lines) {
    const sofar = logs.get(logId) ?? { text: '', lines: 0 };
    logs.set(logId, { text: `${sofar.text}${text}\n`, lines: sofar.lines + 1 });
  }
  const all = [...logs.values()];
  transaction.send(SYSTEM_LINES_ADD, [[...logs.keys()], all.map(({ text }) => text), all.map((log) => log.lines), nowMs]);
}
