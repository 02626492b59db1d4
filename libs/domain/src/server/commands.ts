/**
 * Everything that can happen to jobs, attempts and workers on the control plane's side. A command carries what its
 * sender *claimed*; whether that still holds is for the reducer to say, from locked rows.
 */
import type {
  AttemptEnd, AttemptId, AttemptRef, DrainPolicy, ExecutionReport, JobId, Refusal, WorkerId,
} from '@muster/protocol';

/** Facts that are no rows: the database's clock inside the transaction, the configuration, and choices made outside. */
export interface ServerContext {
  /** Milliseconds since 1970 by the database's clock, read inside the transaction. */
  readonly nowMs: number;
  /** W: no beat for this long makes a worker unreachable; the first part of every lease. */
  readonly workerTimeoutMs: number;
  /** The interval told to this worker; two of them without a beat make it suspect. */
  readonly beatIntervalMs: number;
  readonly offerTtlMs: number;
  /** Ids for attempts this command may have to make, used in order; a reclaim needs one, a claim one per candidate. */
  readonly newAttemptIds: readonly AttemptId[];
  /** 0 to 1, drawn anew for each command: spreads the backoffs between tries. */
  readonly jitter: number;
}

/** What every message of an agent says about its sender. */
interface FromAgent {
  readonly workerId: WorkerId;
  /** The number the server gave this start of the agent; an older one than the worker's is superseded. */
  readonly session: number;
}

/**
 * First message of a connection. The worker's row exists: in the same transaction, before this command, the registry has
 * registered it or stored its new inventory.
 */
export interface HelloCommand extends FromAgent {
  readonly type: 'hello';
  readonly instanceId: string;
  readonly slots: number;
  readonly executions: readonly ExecutionReport[];
  /** GPUs that are held by something else than these executions. */
  readonly gpusHeld: readonly number[];
}

export interface BeatCommand extends FromAgent {
  readonly type: 'beat';
  readonly executions: readonly ExecutionReport[];
  /** The agent wants no new offers. */
  readonly isPaused: boolean;
  readonly slotsFree: number;
  /** GPUs that are held by something else than these executions. */
  readonly gpusHeld: readonly number[];
  /**
   * It only shows that the worker lives and renews what it lists: slots, GPUs and whether offers are wanted stay as they were
   * last told, whatever stands here. So speaks a worker that asks for a job, or for one of its attempts.
   */
  readonly isPartial?: true;
  /** Nobody told the states: they are what we read of our own attempts before. What is live stays in the state it has by now. */
  readonly isEcho?: true;
}

export interface StartCommand extends FromAgent, AttemptRef {
  readonly type: 'start';
}

export interface RefuseCommand extends FromAgent, AttemptRef {
  readonly type: 'refuse';
  readonly reason: Refusal;
  readonly detail?: string;
}

export interface EndCommand extends FromAgent, AttemptEnd {
  readonly type: 'end';
  /** `cancelled` is what its users want in a system of their own, unless a planned stop of ours stands at that moment. */
  readonly isUsersWord?: true;
}

export interface CancelCommand {
  readonly type: 'cancel';
  readonly jobId: JobId;
  /** KILL at once, no grace. Once asked for it stays. */
  readonly force: boolean;
  /** Name of the key's owner. */
  readonly actor: string;
  /** Why, in the actor's words; kept in the event. */
  readonly note?: string;
}

/** Freeze it where it runs, or hold it back where it has no process yet. */
export interface PauseCommand {
  readonly type: 'pause';
  readonly jobId: JobId;
  readonly actor: string;
  /** Why, in the actor's words; kept in the event. */
  readonly note?: string;
}

/** Let a paused job go on: its processes from where they stand, or in line again where it has none. */
export interface ResumeCommand {
  readonly type: 'resume';
  readonly jobId: JobId;
  readonly actor: string;
  readonly note?: string;
}

/** A person gives up waiting for an unreachable worker: the job goes back to the queue under a burned epoch. */
export interface RequeueCommand {
  readonly type: 'requeue';
  readonly jobId: JobId;
  readonly actor: string;
}

/** A person gives the job up: it becomes final although its process may still be running somewhere. */
export interface AbandonCommand {
  readonly type: 'abandon';
  readonly jobId: JobId;
  readonly actor: string;
}

/** The attempt's lease looked over when it was selected; decided anew from the locked row. */
export interface SweepAttemptCommand {
  readonly type: 'sweepAttempt';
  readonly attemptId: AttemptId;
}

/** The job's queue limit looked passed when it was selected. */
export interface SweepQueuedCommand {
  readonly type: 'sweepQueued';
  readonly jobId: JobId;
}

/** The worker's socket closed, or it has been silent: its link is computed anew from its last beat. */
export interface WorkerLinkCommand {
  readonly type: 'workerLink';
  readonly workerId: WorkerId;
  readonly socket: 'closed' | 'silent';
}

interface WorkerOrderCommand {
  readonly workerId: WorkerId;
  /** Name of the key's owner. */
  readonly actor: string;
  /** Why, in the actor's words. */
  readonly note?: string;
}

/** No new offers; offers that were not taken up are taken back. */
export interface CordonCommand extends WorkerOrderCommand {
  readonly type: 'cordon';
}

/** A cordon, and what runs comes to an end. Ordered again it replaces policy, deadline and reason. */
export interface DrainCommand extends WorkerOrderCommand {
  readonly type: 'drain';
  readonly policy: DrainPolicy;
  /** From the moment it is decided; null: no deadline. */
  readonly deadlineSeconds: number | null;
}

/** Takes a cordon or a drain back. */
export interface UndrainCommand extends WorkerOrderCommand {
  readonly type: 'undrain';
}

/** How many jobs it takes at once; null: as many as its agent says. */
export interface SetSlotsCommand extends WorkerOrderCommand {
  readonly type: 'setSlots';
  readonly slots: number | null;
}

/** The worker is no longer one of ours. Its agent is told, and can never be it again. */
export interface RemoveWorkerCommand extends WorkerOrderCommand {
  readonly type: 'removeWorker';
  /** Also while it holds something: that is taken from it. */
  readonly force: boolean;
}

/** The worker's drain looked as if its deadline had passed, or as if it held nothing any more. */
export interface SweepDrainCommand {
  readonly type: 'sweepDrain';
  readonly workerId: WorkerId;
}

export type WorkerOrder = CordonCommand | DrainCommand | UndrainCommand | SetSlotsCommand | RemoveWorkerCommand;
export type AgentCommand = HelloCommand | BeatCommand | StartCommand | RefuseCommand | EndCommand;
export type PersonCommand = CancelCommand | PauseCommand | ResumeCommand | RequeueCommand | AbandonCommand;
export type SweepCommand = SweepAttemptCommand | SweepQueuedCommand | SweepDrainCommand | WorkerLinkCommand;
export type ServerCommand = AgentCommand | PersonCommand | WorkerOrder | SweepCommand;
