/**
 * What an agent knows: its identity, its link, its executions. One plain value, replaced by each step. All moments are
 * milliseconds on the agent's *boot clock*: monotonic, running on in a suspended machine, the same for every start of
 * the agent since the machine booted. It never meets the server's clock.
 */
import type { AttemptId, AttemptRef, AttemptEnd, JobId, JobSpec, Offer, Refusal, WorkerId } from '@muster/protocol';

/**
 * - `accepting`: the intent is being written; nobody else knows.
 * - `asking`: the intent is durable; `start` is asked for until it is answered.
 * - `starting`: `go` came in time and the start was ordered.
 * - `running`, `paused`: the process is alive (or was when last seen).
 * - `exited`: tree proven empty, end durable; it is sent until acknowledged.
 * - `draining`: its end is settled (accepted, or nobody wants it); only log bytes are left.
 */
export const EXECUTION_PHASES = ['accepting', 'asking', 'starting', 'running', 'paused', 'exited', 'draining'] as const;
export type ExecutionPhase = (typeof EXECUTION_PHASES)[number];

/** Why the agent stops a process; the shell turns it into the outcome unless the process ended by itself first. */
export type StopCause = 'cancelled' | 'superseded' | 'leaseOver' | 'workerStopped';

/** How an execution ended, as the shell durably recorded it: `attempt:end` without the reference. */
export type EndReport = Omit<AttemptEnd, keyof AttemptRef>;

export interface Execution {
  /** Name of its directory, for ever: the attempt that began it. */
  readonly executionId: AttemptId;
  /** In whose term it runs now; a reclaim replaces it. */
  readonly ref: AttemptRef;
  readonly jobId: JobId;
  readonly number: number;
  readonly spec: JobSpec;
  readonly gpus: readonly number[];
  readonly phase: ExecutionPhase;
  /** Term of the offer, for judging a late `go`. */
  readonly offerTtlMs: number;
  /** When the newest `start` or `end` of it was sent; null when none is on its way. */
  readonly askedMs: number | null;
  /** `go`s that came too late. */
  readonly lateGoes: number;
  /** Local end of its right to run: send time + 0.7 of the lease. Null: no end known. Only moves forward. */
  readonly deadlineMs: number | null;
  /** The strongest stop ordered so far. */
  readonly stop: { readonly cause: StopCause; readonly isForced: boolean } | null;
  /** What the server last said: frozen or going on. Carried out as soon as there is a process, and repeated if it failed. */
  readonly isPauseWanted: boolean;
  /** The server wants nothing of it but its log. */
  readonly isSuperseded: boolean;
  /** Set with `exited`. */
  readonly end: EndReport | null;
  /** Every byte of its log is acknowledged, or the server said that it wants none. */
  readonly isLogDone: boolean;
}

/** An offer declined, sent until acknowledged, and remembered so that the same offer is not taken later. */
export interface Refusing {
  readonly ref: AttemptRef;
  readonly reason: Refusal;
  readonly detail: string | null;
  readonly sentMs: number | null;
  /** Null until acknowledged; forgotten a while after. */
  readonly acknowledgedMs: number | null;
}

/** `down`: no socket. `greeting`: connected, hello not answered. `synced`: the server knows what we hold. */
export type LinkPhase = 'down' | 'greeting' | 'synced';

/**
 * `serving`. `detaching`: no new work, the agent ends, processes live on for its successor.
 * `stoppingJobs`: no new work, every process is stopped as a planned stop, the agent ends when all is reported.
 * `removed`: it is no worker any more. Every process is stopped as superseded, nothing is told, and the agent ends for good when none is left.
 */
export type AgentMode = 'serving' | 'detaching' | 'stoppingJobs' | 'removed';

export interface AgentState {
  readonly workerId: WorkerId | null;
  readonly instanceId: string;
  /** 0 until the first hello of this start was answered. */
  readonly session: number;
  readonly link: LinkPhase;
  /** Counts connections; an answer that belongs to an earlier one still counts for what it says about attempts. */
  readonly connection: number;
  readonly mode: AgentMode;
  /** Set once the agent must end; nothing is decided after it. */
  readonly isOver: boolean;
  /** As many as its configuration says, until the control plane says otherwise. */
  readonly slots: number;
  /** Slots whose last tree could not be proven empty. */
  readonly quarantined: number;
  /** Devices of those trees. Which of them a released slot gives back nobody says, so all wait for the last. */
  readonly gpusQuarantined: readonly number[];
  /** Why offers are declined at the moment, whatever they are; null when they are taken. */
  readonly objection: Refusal | null;
  readonly beatIntervalMs: number;
  readonly nextBeatMs: number | null;
  /** Until when an unanswered `start`, `refuse` or `end` is not sent again. */
  readonly resendAfterMs: number;
  /** By `executionId`. */
  readonly executions: ReadonlyMap<AttemptId, Execution>;
  /** By attempt. */
  readonly refusals: ReadonlyMap<AttemptId, Refusing>;
}

/** What a start of the agent found in its state directory. */
export interface RecoveredExecution {
  readonly executionId: AttemptId;
  readonly ref: AttemptRef;
  readonly jobId: JobId;
  readonly number: number;
  readonly spec: JobSpec;
  readonly gpus: readonly number[];
  readonly offerTtlMs: number;
  /** `accepted`: proven that it was not started and cannot start by itself any more. `settled`: only its log is left. */
  readonly state: 'accepted' | 'running' | 'paused' | 'exited' | 'settled';
  readonly deadlineMs: number | null;
  /** Given with `exited`. */
  readonly end: EndReport | null;
  /** A stop ordered by an earlier start of the agent. */
  readonly stop: { readonly cause: StopCause; readonly isForced: boolean } | null;
  readonly isLogDone: boolean;
}

export interface AgentConfig {
  readonly workerId: WorkerId | null;
  /** `newInstanceId` of this start. */
  readonly instanceId: string;
  readonly slots: number;
  readonly quarantined: number;
  /** Until the server says otherwise. */
  readonly beatIntervalMs: number;
  /** How long an unanswered request waits before it is sent again. */
  readonly resendAfterMs: number;
}

/** What an offer turns into on disk. */
export type Intent = Pick<Offer, 'jobId' | 'number' | 'spec' | 'gpus' | 'offerTtlMs'> & { readonly executionId: AttemptId; readonly ref: AttemptRef };
