import type { AttemptId, JobId, WorkerId } from './ids.js';
import type { ContainmentRung } from './job.js';
import type { LogStreamState, LogStream } from './log.js';

/**
 * Where one try stands. `offered`: a worker was chosen, nothing runs. `running`: its start was granted. `paused`: frozen.
 * `finalizing`: the process is gone, its end is being stored. `ended` is final and has an outcome.
 */
export const ATTEMPT_STATES = ['offered', 'running', 'paused', 'finalizing', 'ended'] as const;
export type AttemptState = (typeof ATTEMPT_STATES)[number];
/** States that hold a lease, and with it a slot. */
export const LIVE_ATTEMPT_STATES = ['offered', 'running', 'paused', 'finalizing'] as const satisfies readonly AttemptState[];

export const OUTCOMES = [
  'succeeded', 'failed', 'timedOut', 'outOfMemory', 'cancelled', 'checkpointed', 'refused', 'spawnFailed', 'inputFailed',
  'lost', 'superseded', 'unkillable', 'stopped',
] as const;
/**
 * How an attempt ended. `refused`: the worker declined or never answered, nothing ran. `stopped`: a planned stop of the
 * worker (Ctrl-C on `muster up`), retried free of charge. `lost`: nobody can say how it ended.
 */
export type Outcome = (typeof OUTCOMES)[number];

/** How the job's main process ended, as far as the machine can tell. */
export interface Exit {
  /** 0-255, or null when it ended by a signal or nobody knows. */
  readonly code: number | null;
  readonly signal: string | null;
  /** True where code and signal cannot be told apart (dash and SIGINT/SIGPIPE; bubblewrap's 128+n): then both are given. */
  readonly likely?: boolean;
}

export interface Usage {
  /** Processor time of the whole tree, as far as it was sampled. */
  readonly cpuSeconds: number | null;
  readonly memoryBytesPeak: number | null;
  readonly wallSeconds: number | null;
}

/** Why a worker declined an offer; shown by explain. */
export const REFUSALS = ['noSlot', 'draining', 'diskFloor', 'containment', 'runKind', 'tooLate', 'agentStopping', 'noAnswer'] as const;
export type Refusal = (typeof REFUSALS)[number];

/** The two numbers every message about an attempt carries: which, and the fencing token that says in whose term. */
export interface AttemptRef {
  readonly attemptId: AttemptId;
  /** Grows each time the job is granted to somebody; a write with an older one changes nothing. */
  readonly epoch: number;
}

/** An attempt as REST shows it. */
export interface AttemptView extends AttemptRef {
  readonly id: AttemptId;
  readonly jobId: JobId;
  readonly number: number;
  readonly workerId: WorkerId;
  readonly workerName: string;
  readonly state: AttemptState;
  readonly outcome: Outcome | null;
  readonly exit: Exit | null;
  readonly detail: string | null;
  readonly containment: ContainmentRung | null;
  readonly leaseUntil: string | null;
  readonly offeredAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly usage: Usage | null;
  readonly logs: Partial<Record<LogStream, LogStreamState>>;
}
