/**
 * The facts decisions are made from. Each interface is what a row of the database says, no more: rows satisfy these
 * structurally, and the simulator keeps them in maps. All moments are milliseconds since 1970 by the *database's*
 * clock; the agent's side of a lease is counted on the agent's own clock and lives in agent/.
 */
import type {
  AttemptId, AttemptState, ContainmentRung, DesiredState, DrainPolicy, Exit, JobId, JobReason, JobSpec, JobStatus, LogProof, LogStream, Outcome,
  Usage, WorkerId, WorkerLink,
} from '@muster/protocol';

export interface JobFacts {
  readonly id: JobId;
  readonly owner: string;
  readonly spec: JobSpec;
  readonly status: JobStatus;
  readonly desired: DesiredState;
  /** With `desired` = cancel: no grace. */
  readonly force: boolean;
  readonly reason: JobReason;
  readonly reasonDetail: string | null;
  readonly priority: number;
  /** The fencing token of the newest grant; 0 before the first. Only ever grows. */
  readonly epoch: number;
  /** Attempts made; the next one has this number plus one. */
  readonly attemptCount: number;
  /** The attempt that holds the job, while one does. */
  readonly currentAttemptId: AttemptId | null;
  /** Tries spent, by the cause that spent them; each has its own budget (retry policy). */
  readonly failures: number;
  readonly losses: number;
  readonly refusals: number;
  /** Losses while it was running there: 3 make it a poison job. */
  readonly lossesWhileRunning: number;
  readonly notBeforeMs: number | null;
  /** It fails unless it was started once by then; null: no limit. A resume that puts it in line begins it anew, and it means nothing once it ran. */
  readonly queueUntilMs: number | null;
  readonly createdMs: number;
  readonly startedMs: number | null;
  readonly finishedMs: number | null;
  readonly exit: Exit | null;
}

export interface AttemptFacts {
  readonly id: AttemptId;
  readonly jobId: JobId;
  readonly workerId: WorkerId;
  readonly number: number;
  readonly epoch: number;
  readonly state: AttemptState;
  readonly outcome: Outcome | null;
  readonly exit: Exit | null;
  readonly detail: string | null;
  readonly gpus: readonly number[];
  /** Until when the worker's right to it lasts; null = no end (policy `wait`), or it is ended. */
  readonly leaseUntilMs: number | null;
  readonly offeredMs: number;
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  readonly containment: ContainmentRung | null;
  readonly usage: Usage | null;
  readonly leftovers: number;
  /** Which log its bytes belong to: its own id, or that of the lost attempt whose process it goes on with. */
  readonly logId: AttemptId;
  /** Set with its end. */
  readonly proofs: Partial<Record<LogStream, LogProof>>;
  /**
   * Session of the start of the agent that was granted it, or that has named its living process since; null before. No other
   * start is believed that there is no process of an exclusive attempt: it may have read a copy of the disk.
   */
  readonly grantedSession: number | null;
}

/** No new offers, by order of people: a worker is cordoned, or drained. */
export type Maintenance = Cordon | Drain;

interface Ordered {
  readonly reason: string | null;
  /** Owner of the key that ordered it. */
  readonly by: string;
  readonly startedMs: number;
}

/** What runs goes on. */
export interface Cordon extends Ordered {
  readonly kind: 'cordon';
}

/** What runs comes to an end. */
export interface Drain extends Ordered {
  readonly kind: 'drain';
  readonly policy: DrainPolicy;
  readonly deadlineMs: number | null;
  /** The deadline has passed, and what the policy says of that was begun. */
  readonly isOverdue: boolean;
  /** Attempts it held when it was ordered. */
  readonly jobsAtStart: number;
  /** When it was found to hold nothing; from then on it may hold nothing. */
  readonly drainedMs: number | null;
}

export interface WorkerFacts {
  readonly id: WorkerId;
  readonly name: string;
  readonly owner: string;
  /** Number of the newest agent start; frames of an older one are superseded. */
  readonly session: number;
  readonly instanceId: string | null;
  readonly slots: number;
  /** Slots the agent can use at all: its slots less those it said it holds back (a tree not proven empty, a process nobody leases). */
  readonly slotsUsable: number;
  /** Indexes of the GPUs that a process holds which has no lease: not proven dead, or on its way out. Ascending, each once. */
  readonly gpusHeld: readonly number[];
  /** Slots that people gave it; null: as many as its agent says. */
  readonly slotsOrdered: number | null;
  /** Slots its agent said it has, at its last hello; null before the first. */
  readonly slotsSaid: number | null;
  /** The agent wants no new offers. */
  readonly isPaused: boolean;
  /** What people ordered: nothing new, or that it becomes empty. Null: nothing. */
  readonly maintenance: Maintenance | null;
  readonly link: WorkerLink;
  readonly lastBeatMs: number | null;
  /** The key its agent came with was revoked: nothing the agent says counts, until one comes with a key that works. */
  readonly isFenced: boolean;
  readonly isRemoved: boolean;
}
