/** What people order about a worker: that it takes nothing new, that it becomes empty, what it is called. */
import type { Capability } from './worker.js';

export const DRAIN_POLICIES = ['wait', 'checkpoint', 'requeue'] as const;
/**
 * What becomes of the jobs of a worker that is drained. `wait`: they end by themselves; a deadline only raises an alert.
 * `requeue`: what still runs at the deadline is stopped and goes back to the queue. `checkpoint`: the same, and jobs with
 * `pause: checkpoint` are stopped at once. Such stops are planned: no retry is spent by them.
 */
export type DrainPolicy = (typeof DRAIN_POLICIES)[number];

/** A deadline lies at most this far away. */
export const DRAIN_DEADLINE_SECONDS_MAX = 30 * 86_400;
/** Slots that people may give a worker. */
export const WORKER_SLOTS_MAX = 512;

/** People want no new jobs there: it is cordoned or drained. */
export interface MaintenanceView {
  readonly reason: string | null;
  /** Owner of the key that ordered it, last where it was changed. */
  readonly by: string;
  readonly since: string;
}

/** How far a drain is. */
export interface DrainView {
  readonly policy: DrainPolicy;
  readonly reason: string | null;
  readonly by: string;
  readonly startedAt: string;
  /** Null: none. */
  readonly deadlineAt: string | null;
  /** The deadline has passed, and what the policy says of that was begun. */
  readonly isOverdue: boolean;
  readonly jobsAtStart: number;
  /** Jobs it holds now. */
  readonly jobsLeft: number;
  /** `drained`: it holds nothing, and gets nothing. */
  readonly state: 'draining' | 'drained';
  /** When it was found empty. */
  readonly drainedAt: string | null;
}

export const WORKER_OVERRIDES = ['name', 'labels', 'contentTypes', 'capability', 'slots'] as const;
/** What people may set in the place of what its agent says; it outlives restarts of the agent. */
export type WorkerOverride = (typeof WORKER_OVERRIDES)[number];

/** What the agent said of itself last, whatever people set. */
export interface WorkerSaid {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly contentTypes: readonly string[];
  readonly capability: Capability;
  readonly slots: number;
}
