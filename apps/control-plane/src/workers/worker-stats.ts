import type { WorkerStatsView } from '@muster/protocol';
import { standingOf, type WorkerStandingRow } from './worker.view.js';

/** Counts workers. Each has one status and one capability. */
export function countWorkers(rows: readonly WorkerStandingRow[]): WorkerStatsView {
  const counts = { total: 0, online: 0, offline: 0, busy: 0, error: 0, maintenance: 0, cpuWorkers: 0, gpuWorkers: 0, hybridWorkers: 0, available: 0 };
  for (const row of rows) {
    const status = standingOf(row);
    counts.total += 1;
    counts[status] += 1;
    counts[`${row.capability}Workers`] += 1;
    // A suspect worker is still online and would not hear an offer.
    if (status === 'online' && row.link === 'connected' && !row.is_paused) counts.available += 1;
  }
  return counts;
}
