import type { WorkerStatsView } from '@muster/protocol';
import { readinessOf, standingOf, type WorkerStandingRow } from './worker.view.js';

/** Workers that stand alike, and how many they are. */
export interface StandingCountRow extends WorkerStandingRow {
  readonly count: number;
}

/** Counts workers. Each has one status and one capability. */
export function countWorkers(rows: readonly StandingCountRow[], workerTimeoutMs: number): WorkerStatsView {
  const counts = { total: 0, online: 0, offline: 0, busy: 0, error: 0, maintenance: 0, cpuWorkers: 0, gpuWorkers: 0, hybridWorkers: 0, available: 0 };
  for (const row of rows) {
    counts.total += row.count;
    counts[standingOf(row)] += row.count;
    counts[`${row.capability}Workers`] += row.count;
    if (readinessOf(row, workerTimeoutMs).available) counts.available += row.count;
  }
  return counts;
}
