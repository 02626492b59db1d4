/** What the tallies of moved jobs add up to. */
import { JOB_STATUSES } from '@muster/protocol';
import type { JobStatus, StatsView, ThroughputView } from '@muster/protocol';

export interface TallyRow {
  /** Null for jobs that came. */
  readonly from_status: JobStatus | null;
  /** Null for jobs that were removed. */
  readonly to_status: JobStatus | null;
  readonly jobs: number;
  readonly in_five_minutes: number;
  readonly in_hour: number;
}

export interface StatsMoments {
  readonly at: Date;
  readonly five_minutes_ago: Date;
  readonly hour_ago: Date;
  readonly oldest_queued_at: Date | null;
}

export function toStatsView(rows: readonly TallyRow[], moments: StatsMoments): StatsView {
  return {
    at: moments.at.toISOString(),
    jobs: countsOf(rows),
    oldestQueuedAt: moments.oldest_queued_at?.toISOString() ?? null,
    lastFiveMinutes: throughput(rows, moments.five_minutes_ago, (row) => row.in_five_minutes),
    lastHour: throughput(rows, moments.hour_ago, (row) => row.in_hour),
  };
}

/** Those that came into a status, less those that left it. */
function countsOf(rows: readonly TallyRow[]): Record<JobStatus, number> {
  const counts = Object.fromEntries(JOB_STATUSES.map((status) => [status, 0])) as Record<JobStatus, number>;
  for (const { from_status: from, to_status: to, jobs } of rows) {
    if (from !== null) counts[from] -= jobs;
    if (to !== null) counts[to] += jobs;
  }
  return counts;
}

function throughput(rows: readonly TallyRow[], since: Date, jobsOf: (row: TallyRow) => number): ThroughputView {
  const sum = (is: (row: TallyRow) => boolean): number => rows.filter(is).reduce((total, row) => total + jobsOf(row), 0);
  const cameInto = (status: JobStatus): number => sum((row) => row.to_status === status);
  return {
    sinceAt: since.toISOString(),
    submitted: sum((row) => row.from_status === null),
    // Not those that were frozen and go on.
    started: sum((row) => row.to_status === 'running' && row.from_status === 'assigned'),
    completed: cameInto('completed'),
    failed: cameInto('failed'),
    cancelled: cameInto('cancelled'),
  };
}
