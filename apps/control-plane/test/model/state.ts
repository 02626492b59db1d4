/**
 * What a person who has read the documents believes the control plane to hold. Deliberately not the reducer: plain
 * mutable objects, one clock in seconds that only the command `pass` moves, no rows, no slices, no effects.
 */
import type {
  AttemptId, AttemptState, DesiredState, DrainPolicy, ExecutionState, JobId, JobReason, JobStatus, Outcome, WorkerId, WorkerLink,
} from '@muster/protocol';

/**
 * Seconds. Every pass is a multiple of 100 and every limit lies 50 beside one, so that the real moments in which a run is
 * carried out never decide anything.
 */
export const SECONDS = { workerTimeout: 950, offer: 150, lostAfter: 1_000, backoff: 450, queue: 250, suspect: 20 } as const;
export const LEASE_SECONDS = SECONDS.workerTimeout + SECONDS.lostAfter;

/** What the jobs of a run may ask for. */
export const POLICIES = {
  plain: {},
  tries: { retry: { onFailure: 1 } },
  fails: { disconnect: { onWorkerLost: 'fail' } },
  waits: { disconnect: { onWorkerLost: 'wait' } },
  exclusive: { disconnect: { exclusive: true } },
  never: { retry: { never: true, onWorkerLost: 0 }, disconnect: { onWorkerLost: 'fail' } },
  hurried: { limits: { queueSeconds: SECONDS.queue } },
  gpu: { needs: { gpus: 1 } },
} as const satisfies Record<string, { retry?: object; disconnect?: object; limits?: object; needs?: object }>;
export type PolicyName = keyof typeof POLICIES;
export const POLICY_NAMES = Object.keys(POLICIES) as PolicyName[];

export interface Log {
  text: string;
}

export interface Attempt {
  id: AttemptId;
  readonly job: Job;
  readonly worker: Worker;
  readonly number: number;
  readonly epoch: number;
  state: AttemptState;
  outcome: Outcome | null;
  exitCode: number | null;
  readonly gpus: readonly number[];
  /** Null: no end. */
  leaseUntil: number | null;
  /** Its worker was not heard, or began anew and does not know it, and has not named it since. */
  isDoubted: boolean;
  /** Which start of the agent was granted it, or has named its process since; null before a start was granted. */
  grantedTo: number | null;
  /** Shared by the attempts that go on with one process. */
  readonly log: Log;
}

export interface Job {
  readonly id: JobId;
  readonly policy: PolicyName;
  readonly priority: number;
  /** When it came in line first, or was put there by a resume before it ever ran. */
  inLineSince: number;
  status: JobStatus;
  desired: DesiredState;
  isForced: boolean;
  /** Meant only while the job is final, or a wish of people stands above how far it is. */
  reason: JobReason | null;
  epoch: number;
  readonly attempts: Attempt[];
  current: Attempt | null;
  hasStarted: boolean;
  failures: number;
  losses: number;
  lossesWhileRunning: number;
  refusals: number;
  /** Until when it may not be offered; `untold` while it was not yet read and set by the run. */
  backoffUntil: number | null | 'untold';
  exitCode: number | null;
}

/** What an agent has on its disk. */
export interface Execution {
  attemptId: AttemptId;
  epoch: number;
  state: ExecutionState;
}

export interface DrainOrder {
  readonly kind: 'drain';
  readonly policy: DrainPolicy;
  readonly deadline: number | null;
  isOverdue: boolean;
  isDrained: boolean;
}

export interface Worker {
  readonly index: number;
  slots: number;
  /** As many as its agent says. */
  readonly slotsSaid: number;
  /** What people ordered. */
  order: { readonly kind: 'cordon' } | DrainOrder | null;
  /** Indexes of those it has. */
  readonly gpus: readonly number[];
  /** What its agent will say next of those that something holds for which there is no execution. */
  stuckGpus: readonly number[];
  /** What the control plane believes to be held there without a lease. */
  heldGpus: readonly number[];
  /** Null before first contact. */
  id: WorkerId | null;
  /** How often its agent began anew. */
  starts: number;
  /** Its agent is connected and greeted. */
  isSynced: boolean;
  link: WorkerLink;
  lastBeat: number;
  usableSlots: number;
  takesNoOffers: boolean;
  isKeyRevoked: boolean;
  disk: Execution[];
  /** An older start of its agent is about, somewhere. */
  hasGhost: boolean;
}

export interface Submission {
  readonly body: unknown;
  readonly jobs: readonly Job[];
}

/** Statuses nothing leaves. */
export function isFinal(job: Job): boolean {
  return job.status === 'completed' || job.status === 'failed' || job.status === 'cancelled';
}

export function isLive(attempt: Attempt): boolean {
  return attempt.state !== 'ended';
}

/**
 * Whether the word of this agent counts when it says that there is no process: a copy of its disk says so too, while the
 * process of an exclusive job lives on elsewhere.
 */
export function isWitness({ job, grantedTo }: Attempt, worker: Worker): boolean {
  return job.policy !== 'exclusive' || grantedTo === null || grantedTo === worker.starts;
}

export function isStarted(attempt: Attempt): boolean {
  return isLive(attempt) && attempt.state !== 'offered';
}

export function isAlive({ state }: Execution): boolean {
  return state === 'running' || state === 'paused';
}
