import type { AttemptId, JobId, WorkerId } from './ids.js';
import type { Capability } from './worker.js';

/** What a submitter sees of a job. Final: `completed`, `failed`, `cancelled`; nothing leaves those. */
export const JOB_STATUSES = ['queued', 'assigned', 'running', 'paused', 'completed', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];
export const FINAL_JOB_STATUSES = ['completed', 'failed', 'cancelled'] as const satisfies readonly JobStatus[];

/**
 * What people want of the job now. Changes only by their actions; the status follows: with `pause` it becomes `paused` once
 * its processes are frozen, or at once when it has none, and it is not offered to anybody before it is resumed.
 */
export const DESIRED_STATES = ['run', 'pause', 'cancel'] as const;
export type DesiredState = (typeof DESIRED_STATES)[number];

/** What a person may do with a job; `allowedActions` of a job lists those that would be accepted now. */
export const JOB_ACTIONS = ['cancel', 'forceCancel', 'pause', 'resume', 'retry', 'requeue', 'abandon'] as const;
export type JobAction = (typeof JOB_ACTIONS)[number];

/**
 * Why a job is where it is. Closed list: adding one costs every client a sentence.
 * The sentence for people and what to do about it come from `REASON_TEXTS`.
 */
export const JOB_REASONS = [
  'waiting', 'noWorkerOnline', 'noMatchingWorker', 'slotsFull', 'higherPriorityFirst', 'backoff', 'queueTimeout',
  'offered', 'starting', 'running', 'pausing', 'frozen', 'resuming', 'held', 'cancelling', 'workerSuspect', 'workerUnreachable',
  'succeeded', 'nonZeroExit', 'signalled', 'timedOut', 'outOfMemory', 'spawnFailed', 'inputFailed', 'workerLost',
  'poisonJob', 'unkillable', 'cancelledByUser', 'abandoned', 'workerStopped', 'checkpointed',
] as const;
export type JobReason = (typeof JOB_REASONS)[number];

export interface ReasonText {
  /** One sentence for people. */
  readonly sentence: string;
  /** What a person can do about it; empty when nothing is asked of them. */
  readonly action: string;
}

export const REASON_TEXTS: Record<JobReason, ReasonText> = {
  waiting: { sentence: 'Waiting for its turn.', action: '' },
  noWorkerOnline: { sentence: 'No worker is connected.', action: 'Start an agent, or check `muster workers` for one that went offline.' },
  noMatchingWorker: { sentence: 'No connected worker meets what the job needs.', action: 'Compare the job\'s `needs` with `muster workers`, or connect a worker that meets them.' },
  slotsFull: { sentence: 'Every worker that fits is busy.', action: 'Wait, raise the slots of a worker, or add one.' },
  higherPriorityFirst: { sentence: 'Jobs of higher priority or of submitters with less running go first.', action: '' },
  backoff: { sentence: 'The last attempt failed; the next one starts after its backoff.', action: 'See `muster show` for the cause of the last attempt.' },
  queueTimeout: { sentence: 'No worker took the job within its queue limit.', action: 'Raise `limits.queueSeconds` or add a worker, then submit again.' },
  offered: { sentence: 'Offered to a worker.', action: '' },
  starting: { sentence: 'A worker is starting it.', action: '' },
  running: { sentence: 'It is running.', action: '' },
  pausing: { sentence: 'A pause was asked for; its processes are being frozen.', action: '' },
  frozen: { sentence: 'It is frozen where it runs; its slot, memory and GPUs stay held.', action: 'Let it go on with `muster resume`.' },
  resuming: { sentence: 'A resume was asked for; its processes are being continued.', action: '' },
  held: { sentence: 'It was paused while it had no process, and is not started.', action: 'Put it back in line with `muster resume`.' },
  cancelling: { sentence: 'Cancellation was asked for; its processes are being stopped.', action: '' },
  workerSuspect: { sentence: 'Its worker missed beats, or does not name its process; it may run on, and is given up when its lease is over.', action: '' },
  workerUnreachable: { sentence: 'Its worker does not answer; the job may still be running there.', action: 'Reconnect the worker, or use requeue or abandon.' },
  succeeded: { sentence: 'It ended with exit code 0.', action: '' },
  nonZeroExit: { sentence: 'It ended with an exit code other than 0.', action: 'Read its log: `muster logs`.' },
  signalled: { sentence: 'It was ended by a signal.', action: 'Read its log: `muster logs`.' },
  timedOut: { sentence: 'It ran longer than its limit and was stopped.', action: 'Raise the limit named in the attempt\'s detail.' },
  outOfMemory: { sentence: 'It used more memory than its limit and was stopped.', action: 'Raise `limits.memoryMb`, or make the job smaller.' },
  spawnFailed: { sentence: 'The worker could not start it.', action: 'Check that the command exists on the worker and may be run there.' },
  inputFailed: { sentence: 'An input could not be fetched.', action: 'Check the inputs\' addresses and digests.' },
  workerLost: { sentence: 'Its worker was lost and its retries are used up.', action: 'Bring the worker back or submit again.' },
  poisonJob: { sentence: 'Three workers were lost while running it, so it is not tried again.', action: 'Run it alone on one worker and watch that machine.' },
  unkillable: { sentence: 'Its processes could not be stopped.', action: 'Look at the machine; a restart may be needed.' },
  cancelledByUser: { sentence: 'It was cancelled.', action: '' },
  abandoned: { sentence: 'It was given up while its worker was unreachable.', action: '' },
  workerStopped: { sentence: 'Its worker was stopped by its operator; the job goes back to the queue.', action: '' },
  checkpointed: { sentence: 'It wrote a checkpoint and stopped.', action: 'Continuing from a checkpoint does not exist yet: cancel it, or submit it again.' },
};

export const EXTERNAL_KINDS = ['http', 'finetunelab', 'goliat', 'crowdcompute'] as const;
/** Whose work it is: `http` of any program that claims jobs over REST, the others of existing workers of that name. */
export type ExternalKind = (typeof EXTERNAL_KINDS)[number];

/** Work that a program of its own carries out; nothing of it is looked into here. */
export interface ExternalRun {
  readonly kind: ExternalKind;
  /** What that program needs to know, as it was given; at most `LIMITS.externalPayloadBytesMax` as JSON. */
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Exactly one of the four kinds. */
export interface RunSpec {
  /** Program and arguments, given to the program byte for byte; no shell takes part. */
  readonly command?: readonly string[];
  /** A script for `/bin/sh -c`. */
  readonly shell?: string;
  readonly function?: { readonly runtime: 'node' | 'python'; readonly source: string; readonly export?: string; readonly args?: readonly unknown[] };
  /** Given only to workers whose `runKinds` hold `external:<kind>`. Agents of our own never do. */
  readonly external?: ExternalRun;
}

export const CONTAINMENT_RUNGS = ['group', 'namespace', 'cgroup'] as const;
/**
 * How surely a worker can end every process of a job. `group`: process group, descendants and environment cookie, may
 * leave residue. `namespace` (bubblewrap) and `cgroup` (v2): proven empty.
 */
export type ContainmentRung = (typeof CONTAINMENT_RUNGS)[number];

export interface JobNeeds {
  readonly capability?: Capability;
  readonly contentType?: string;
  /** Name → required value, or a comparison (`>=550`, `!=old`). */
  readonly labels?: Readonly<Record<string, string>>;
  readonly cpus?: number;
  readonly memoryMb?: number;
  readonly gpus?: number;
  readonly gpuModel?: string;
  readonly containment?: ContainmentRung;
}

export interface JobLimits {
  /** Wall time of one attempt; frozen time does not count. */
  readonly runSeconds?: number;
  /** Longest wait in the queue for the first start. */
  readonly queueSeconds?: number;
  /** Longest time without a byte of output. */
  readonly silenceSeconds?: number;
  readonly memoryMb?: number;
  readonly cpus?: number;
  readonly logBytes?: number;
}

export interface RetryPolicy {
  /** Tries after a failure of the job itself. */
  readonly onFailure: number;
  /** Tries after the worker was lost. */
  readonly onWorkerLost: number;
  /** When given, only these exit codes are retried. */
  readonly exitCodes?: readonly number[];
  /** Wait before the first further try; doubles with each try of the same cause. */
  readonly backoffSeconds: number;
  /** Absolute: no cause is retried. */
  readonly never?: boolean;
}

export const ON_WORKER_LOST = ['requeue', 'fail', 'wait'] as const;
export type OnWorkerLost = (typeof ON_WORKER_LOST)[number];

export interface DisconnectPolicy {
  /** Added to W: how long a started attempt's lease outlives its last accepted renewal. */
  readonly lostAfterSeconds: number;
  readonly onWorkerLost: OnWorkerLost;
  /** At most one copy alive: a timer outside the agent kills at 0.7 of the lease. */
  readonly exclusive: boolean;
}

/** How a job is paused. `freeze`: its processes are stopped where they are. `checkpoint` is not supported yet. */
export const PAUSE_MODES = ['freeze', 'checkpoint'] as const;
export type PauseMode = (typeof PAUSE_MODES)[number];

/** What was asked for, with every default filled in. Immutable once accepted. */
export interface JobSpec {
  readonly name: string;
  readonly run: RunSpec;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly needs: JobNeeds;
  readonly limits: JobLimits;
  readonly priority: number;
  readonly graceSeconds: number;
  readonly stopSignal: string;
  readonly retry: RetryPolicy;
  readonly disconnect: DisconnectPolicy;
  readonly logs: { readonly separate: boolean };
  /** Absent in jobs accepted before it existed; they are frozen. */
  readonly pause?: PauseMode;
}

/** A job as REST shows it. Times are RFC 3339 UTC with milliseconds. */
export interface JobView {
  readonly id: JobId;
  readonly name: string;
  readonly status: JobStatus;
  readonly desired: DesiredState;
  readonly reason: JobReason;
  readonly reasonText: ReasonText;
  /** Free words about this instance of the reason: which command, which limit, which worker. */
  readonly reasonDetail: string | null;
  /** Why it failed, in words, as whoever carried it out said it; null unless it failed. */
  readonly error: string | null;
  readonly owner: string;
  readonly spec: JobSpec;
  readonly labels: Readonly<Record<string, string>>;
  readonly priority: number;
  /** Attempts made so far. */
  readonly attemptCount: number;
  readonly currentAttemptId: AttemptId | null;
  readonly workerId: WorkerId | null;
  readonly workerName: string | null;
  readonly workerLink: 'connected' | 'suspect' | 'unreachable' | null;
  readonly progress: { readonly fraction: number | null; readonly message: string | null; readonly at: string } | null;
  /** One JSON value the job wrote to `MUSTER_RESULT`; null until it completed. */
  readonly result: unknown;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** When set, the job is not offered before this moment. */
  readonly notBeforeAt: string | null;
  readonly allowedActions: readonly JobAction[];
}
