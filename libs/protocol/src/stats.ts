import type { JobStatus } from './job.js';

/** `GET /stats`: all jobs there are, counted as of one moment. */
export interface StatsView {
  /** The moment, by the database's clock. */
  readonly at: string;
  /** How many jobs have each status. Jobs that were removed are in none. */
  readonly jobs: Readonly<Record<JobStatus, number>>;
  /** When the job that was submitted first of those in line was submitted; null when none is in line. */
  readonly oldestQueuedAt: string | null;
  /** What happened lately, in the last five minutes and in the last hour. Whole minutes, and the one that runs. */
  readonly lastFiveMinutes: ThroughputView;
  readonly lastHour: ThroughputView;
}

/** How many jobs moved since a moment. A job that was tried twice started twice. */
export interface ThroughputView {
  readonly sinceAt: string;
  readonly submitted: number;
  /** Attempts whose worker was told to start. */
  readonly started: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
}

/** `GET /workers/stats`: the workers that were not removed. */
export interface WorkerStatsView {
  readonly total: number;
  /** By shown status: each worker has exactly one. */
  readonly online: number;
  readonly offline: number;
  readonly busy: number;
  readonly error: number;
  readonly maintenance: number;
  /** By capability: each worker has exactly one. */
  readonly cpuWorkers: number;
  readonly gpuWorkers: number;
  readonly hybridWorkers: number;
  /** Would be offered a job now: connected, online, neither paused nor draining, with a free slot. */
  readonly available: number;
}
