/** What workers without a socket say and hear over REST. The rules are those of the socket (docs/protocol.md). */
import type { AttemptCommand, Verdict } from './agent-events.js';
import type { AttemptRef, Outcome } from './attempt.js';
import type { AttemptId, JobId, WorkerId } from './ids.js';
import { EXTERNAL_KINDS, type JobSpec } from './job.js';

/** Kinds of jobs a worker may say it takes. */
export const RUN_KINDS: readonly string[] = [
  'command', 'shell', 'function:node', 'function:python', ...EXTERNAL_KINDS.map((kind) => `external:${kind}`),
];

/** Ends that a worker or a job may tell over REST; all others are the control plane's to say. */
export const REPORTED_OUTCOMES = [
  'succeeded', 'failed', 'timedOut', 'outOfMemory', 'cancelled', 'refused', 'spawnFailed', 'inputFailed', 'stopped',
] as const satisfies readonly Outcome[];
export type ReportedOutcome = (typeof REPORTED_OUTCOMES)[number];

/** Longest wait for a job in one request. */
export const CLAIM_WAIT_SECONDS_MAX = 30;

/** Something to do with an attempt. `isPlanned`: the worker is to be emptied, and the end is `stopped`. `stop` with `superseded` or `unknown`: stop it, report nothing but its log. */
export interface PendingCommand extends AttemptRef, Pick<AttemptCommand, 'kind' | 'isPlanned'> {
  /** Between the stop signal and KILL. */
  readonly graceSeconds: number;
  readonly reason: AttemptCommand['reason'] | 'superseded' | 'unknown';
}

/** What every sign of life is answered with. */
export interface HeartbeatView {
  readonly beatIntervalMs: number;
  /** No beat for so long: the worker is unreachable. */
  readonly workerTimeoutMs: number;
  /** How many jobs the worker may have at once: what it said, unless people gave it another number. */
  readonly slots: number;
  /** One for each execution that was listed, in its order. */
  readonly verdicts: readonly Verdict[];
  /** What is to be done, out of the verdicts; repeated until it shows. */
  readonly commands: readonly PendingCommand[];
}

export interface RegisteredWorkerView extends HeartbeatView {
  readonly workerId: WorkerId;
  readonly name: string;
  /** Number of this start of the program; the newest is the worker. */
  readonly session: number;
}

export interface ClaimedAttemptView {
  readonly id: AttemptId;
  readonly jobId: JobId;
  readonly epoch: number;
  /** 1 for the first attempt of the job. */
  readonly number: number;
  /** Indexes of the GPUs assigned. */
  readonly gpus: readonly number[];
  /** Not started for so long, the attempt goes back to the queue. */
  readonly offerTtlMs: number;
}

export interface ClaimView {
  readonly job: { readonly id: JobId; readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly priority: number; readonly spec: JobSpec };
  readonly attempt: ClaimedAttemptView;
  /** Opens the calls of this attempt, and is never shown again. */
  readonly jobToken: string;
}

export interface RenewedView {
  readonly beatIntervalMs: number;
  readonly verdict: Verdict;
  readonly commands: readonly PendingCommand[];
}
