/**
 * The words between the part of the agent that talks (connection, logs) and the part that runs processes.
 *
 * An *execution* is one directory under `<stateDir>/attempts` and the process it describes. It has its own opaque id,
 * because the attempt it serves can change: a lost attempt may be granted again to the same worker under a new id and
 * epoch while the process simply runs on (`rebind`).
 */
import type { AttemptRef, ContainmentRung, Exit, Inventory, JobId, JobSpec, Outcome, Usage } from '@muster/protocol';
import type { Clock } from '@muster/runtime';

declare const brand: unique symbol;
/** Names a directory below `<stateDir>/attempts`; means nothing to anybody else and is never sent anywhere. */
export type ExecutionId = string & { readonly [brand]: 'execution' };

/** What the process side needs of an offer. `Offer` of the protocol satisfies it. */
export interface ExecutionOffer extends AttemptRef {
  readonly jobId: JobId;
  /** 1 for the first attempt of the job. */
  readonly number: number;
  readonly spec: JobSpec;
  readonly gpus: readonly number[];
}

/** Facts that are known only once the start was granted; never written anywhere but into the job's environment. */
export interface StartGrant {
  /** Of this grant only: added to the job's environment, and wins over the job's own. What all jobs are given costs less. */
  readonly env?: Readonly<Record<string, string>>;
  /** For `exclusive` jobs: KILL falls at this moment unless `setDeadline` moves it. Boot clock, milliseconds. */
  readonly deadlineMs?: number;
  /**
   * Last moment (boot clock, milliseconds) at which the process may be made. Looked at when a supervisor is told: the machine
   * may have stood still since the grant, and somebody else may hold the job by now. Too late ends it as `refused`.
   */
  readonly notAfterMs?: number;
}

/**
 * Where an execution stands: `accepted` (intent on disk, nothing started), `running`, `paused` (whole tree frozen),
 * `exited` (tree proven empty or given up on; its end is known and repeated until `discard`).
 */
export type ExecutionPhase = 'accepted' | 'running' | 'paused' | 'exited';

export interface ExecutionView {
  readonly executionId: ExecutionId;
  /** The attempt it serves now; changes only by `rebind`. */
  readonly ref: AttemptRef;
  readonly jobId: JobId;
  readonly spec: JobSpec;
  /** Devices it was given; held until its tree is proven empty. */
  readonly gpus: readonly number[];
  readonly phase: ExecutionPhase;
  /** Set from `stop` on; the execution then ends with the outcome of the first request, whatever its exit says. */
  readonly stopping: StopReason | null;
  /** Set once `phase` is `exited`. */
  readonly end: ExecutionEnd | null;
}

/**
 * Why a running process is asked to end; remembered on disk before the first signal, so that the exit is classified by
 * intent also after a crash of the agent. `cancelled` → outcome cancelled, `superseded` → superseded, `stopped` (planned
 * stop of this worker) → stopped.
 */
export type StopReason = 'cancelled' | 'superseded' | 'stopped';

export interface StopRequest {
  /** `stop`: signal, grace, KILL. `forceStop`: KILL at once, also when a gentle stop is under way. */
  readonly kind: 'stop' | 'forceStop';
  readonly graceSeconds: number;
  readonly reason: StopReason;
}

/** How an execution ended; the process half of the protocol's `AttemptEnd`. */
export interface ExecutionEnd {
  readonly outcome: Outcome;
  /** Null when nobody knows or nothing ran. */
  readonly exit: Exit | null;
  /** A sentence for people, or null where outcome and exit say it all. */
  readonly detail: string | null;
  /** The JSON value of `MUSTER_RESULT`; absent when the job wrote none (then `detail` says so if it was unreadable). */
  readonly result?: unknown;
  readonly usage: Usage;
  /** Processes that outlived the main one and were killed; 0 in a namespace, which dies whole and uncounted. */
  readonly leftovers: number;
  readonly containment: ContainmentRung;
  /** From exec to exit on the boot clock, frozen time included; null when nothing ran. */
  readonly ranMs: number | null;
}

/** What a previous life of the agent left behind. */
export type RecoveredExecution =
  /** Adopted: its end comes as an `ended` event like any other. */
  | { readonly kind: 'adopted'; readonly view: ExecutionView }
  /** It ended while no agent was there, or its end was never acknowledged: `view.end` is set. No event follows. */
  | { readonly kind: 'ended'; readonly view: ExecutionView }
  /** Proven never to have run, and never able to; its directory is gone already. */
  | { readonly kind: 'neverStarted'; readonly ref: AttemptRef; readonly jobId: JobId; readonly spec: JobSpec };

/** Where the shippers read. All may be absent until the job (or its supervisor) writes to them; absent means empty. */
export interface ExecutionPaths {
  readonly directory: string;
  /** `output`, or `stdout` and `stderr` with `logs.separate`. Append-only until `ended`; complete at `ended`. */
  readonly logs: Readonly<Partial<Record<'output' | 'stdout' | 'stderr', string>>>;
  /** JSON lines of `MUSTER_METRICS`. */
  readonly metrics: string;
  /** Lines of `MUSTER_PROGRESS`. */
  readonly progress: string;
}

export interface SlotCount {
  readonly total: number;
  /** Free means: proven empty. Accepted, running and ending executions and quarantined slots are not free. */
  readonly free: number;
  /** Held back because processes of an ended execution could not be killed. */
  readonly quarantined: number;
  /** Why no process can be started, a sentence; absent while nothing is known to stand in the way. */
  readonly problem?: string;
}

/** The parts of the inventory that only the process side can know; probed by doing, at start. */
export type ProcessCapabilities = Pick<Inventory, 'containment' | 'limits' | 'signalKnown' | 'runKinds'>;

export interface ExecutionEvents {
  /** The start command has been handed to a supervisor, or waits for one that is being replaced. */
  running: (view: ExecutionView) => void;
  /** The whole tree stands still, or moves again. */
  paused: (view: ExecutionView) => void;
  resumed: (view: ExecutionView) => void;
  /** Exactly once per execution and life of the agent; `view.end` is set and on disk. */
  ended: (view: ExecutionView & { readonly end: ExecutionEnd }) => void;
  /** The number of free slots changed. */
  slots: (count: SlotCount) => void;
}

/** Where the operator's lines go; the logger of `@muster/runtime` is one. */
export interface ExecutionLogger {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

export interface ExecutionManagerOptions {
  /** Absolute; created 0700 when missing. One live agent per directory (the caller's lock). */
  readonly stateDir: string;
  /** At the beginning; `setSlots` changes it. */
  readonly slots: number;
  readonly logger: ExecutionLogger;
  /** The one clock of this process: `notAfterMs` and `deadlineMs` are moments on it, and mean nothing on another. */
  readonly clock: Clock;
  /** Rung to use instead of the cheapest provable one; refused at `open` when it is not available. */
  readonly containment?: ContainmentRung;
  /** The agent's own environment. PATH, HOME, LANG and TMPDIR of jobs come from it, and `MUSTER_CRASH_AT` for chaos tests. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Given to every job, as `MUSTER_URL`; wins over the job's own variables. None unless told. */
  readonly jobEnvironment?: Readonly<Record<string, string>>;
}

/** The facade. Every method rejects with `UnknownExecution` for an id it does not hold. */
export interface ExecutionManager {
  readonly capabilities: ProcessCapabilities;
  /** Call once, before the first `accept`: settles everything found on disk. */
  recover(): Promise<readonly RecoveredExecution[]>;
  /** Writes the intent; resolves when it would survive a kill of the agent. Rejects with `NoFreeSlot` when none is free. */
  accept(offer: ExecutionOffer): Promise<ExecutionId>;
  /**
   * Only after `go`. Resolves when the process was asked for, or when it is certain that it cannot be (then `ended` with
   * `spawnFailed` follows). A second call, or one after `stop`, starts nothing.
   */
  start(executionId: ExecutionId, grant?: StartGrant): Promise<void>;
  /** Resolves when the request is on disk and the first signal sent; the rest of the ladder goes on by itself. */
  stop(executionId: ExecutionId, request: StopRequest): Promise<void>;
  /** Resolves when the whole tree stands still. The run limit does not count while it does. */
  freeze(executionId: ExecutionId): Promise<void>;
  thaw(executionId: ExecutionId): Promise<void>;
  /** For `exclusive` jobs: moves the deadline to this moment (boot clock, milliseconds); called with every accepted renewal. */
  setDeadline(executionId: ExecutionId, atMs: number): Promise<void>;
  /** The process now serves another attempt; on disk when resolved. */
  rebind(executionId: ExecutionId, ref: AttemptRef): Promise<void>;
  /**
   * Forgets an execution that is `accepted` or `exited` and removes its directory. Refused while it runs. What could not be
   * killed keeps slot and directory until it is gone; a later agent finds it as `ended` once more.
   */
  discard(executionId: ExecutionId): Promise<void>;
  view(executionId: ExecutionId): ExecutionView;
  /** Everything not discarded, in the order it came. */
  list(): readonly ExecutionView[];
  find(ref: AttemptRef): ExecutionView | null;
  paths(executionId: ExecutionId): ExecutionPaths;
  slots(): SlotCount;
  /** From now on so many. More are opened at once; of fewer, what runs above them ends by itself, and its slot with it. */
  setSlots(slots: number): void;
  on<E extends keyof ExecutionEvents>(event: E, listener: ExecutionEvents[E]): void;
  off<E extends keyof ExecutionEvents>(event: E, listener: ExecutionEvents[E]): void;
  /** Lets go of everything: jobs and busy supervisors live on, and the next start adopts them. Idempotent. */
  close(): Promise<void>;
}
