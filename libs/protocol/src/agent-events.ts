/**
 * What agent and control plane say to each other on the namespace `/agent`, in the order of docs/protocol.md.
 *
 * Socket.IO delivers at most once, so every message is safe to send twice, and every acknowledgement means *committed*.
 * A message about an attempt that is no longer the sender's is answered with a benign `superseded`, never an error.
 */
import type { AttemptRef, Exit, Outcome, Refusal, Usage } from './attempt.js';
import type { DisconnectReason } from './disconnects.js';
import type { JobId, WorkerId } from './ids.js';
import type { ContainmentRung, JobSpec } from './job.js';
import type { LogAck, LogChunk, LogProof, LogStream } from './log.js';
import type { Inventory, WorkerSample } from './worker.js';

export const AGENT_NAMESPACE = '/agent';

/** Sent in the Socket.IO handshake's `auth`. */
export interface AgentHandshake {
  /** A `wak_` key. */
  readonly key: string;
  readonly protocolVersion: string;
}

/**
 * Where an execution stands on the agent's disk. `accepted`: intent written, nothing started. `running`, `paused`,
 * `exited` (the process is gone, its end not yet acknowledged).
 */
export const EXECUTION_STATES = ['accepted', 'running', 'paused', 'exited'] as const;
export type ExecutionState = (typeof EXECUTION_STATES)[number];

export interface ExecutionReport extends AttemptRef {
  readonly state: ExecutionState;
}

/** `worker:hello`: the first message on every connection; until it is answered nothing else is accepted. */
export interface Hello {
  readonly protocolVersion: string;
  readonly agentVersion: string;
  /** From the state directory; absent on first contact, which registers. */
  readonly workerId?: WorkerId;
  /** Stable per machine, from the state directory. */
  readonly machineId: string;
  /**
   * Made anew at each start of the agent: tells a reconnect from a second agent. `<count of starts of this state directory,
   * 10 digits>-<random>`: of two with a count, the lower one is an older start whose hello was late, and is superseded.
   */
  readonly instanceId: string;
  /** 0 on the first hello of this start; afterwards the number the server gave. */
  readonly session: number;
  readonly bootId: string;
  readonly name: string;
  readonly slots: number;
  readonly inventory: Inventory;
  /** Everything on the agent's disk whose end was not acknowledged. */
  readonly executions: readonly ExecutionReport[];
  /** As in a beat. Absent before 1.1: none. */
  readonly gpusHeld?: readonly number[];
}

export interface HelloAck {
  readonly workerId: WorkerId;
  readonly name: string;
  /** Rises with each start of an agent of this identity; the newer supersedes the older. */
  readonly session: number;
  readonly beatIntervalMs: number;
  readonly workerTimeoutMs: number;
  /** One verdict per execution of the hello, in its order. */
  readonly verdicts: readonly Verdict[];
  /** Raw bytes taken in one log chunk on this connection. Absent before 1.1: 65,536. */
  readonly logChunkBytesMax?: number;
  /** How many slots the worker has now: those of the hello, unless people gave it others. Absent before 1.2. */
  readonly slots?: number;
}

/**
 * What becomes of an execution the agent named.
 * - `keep`: the lease was renewed for `leaseMs`, counted by the agent from when it *sent* the message.
 * - `stop`: this attempt is over for the server: stop the process, report nothing but its log.
 * - `reclaimed`: the lease had expired, the job was free, and it was granted to this worker again under `attempt`.
 * - `unleased`: the lease expired and cannot be granted now; go on, ask again with the next beat.
 * - `reportEnd`: the server wants the end of this exited attempt.
 */
export type Verdict =
  | { readonly kind: 'keep'; readonly ref: AttemptRef; readonly leaseMs: number | null; readonly command: AttemptCommand | null }
  | { readonly kind: 'stop'; readonly ref: AttemptRef; readonly reason: 'superseded' | 'unknown' }
  | { readonly kind: 'reclaimed'; readonly ref: AttemptRef; readonly attempt: AttemptRef; readonly leaseMs: number | null }
  | { readonly kind: 'unleased'; readonly ref: AttemptRef }
  | { readonly kind: 'reportEnd'; readonly ref: AttemptRef };

/** What the server wants done to a running attempt; repeated with every beat until the attempt shows it happened. */
export interface AttemptCommand {
  readonly kind: 'stop' | 'forceStop' | 'freeze' | 'thaw';
  /** Between the stop signal and KILL; seconds. */
  readonly graceSeconds: number;
  readonly reason: 'cancelled' | 'paused' | 'resumed';
  /**
   * A stop that is the worker's and not the job's: its end is `stopped`, and the job goes back to the queue. Since 1.2; an
   * older agent reports `cancelled`, and is understood.
   */
  readonly isPlanned?: boolean;
}

/** `attempt:offer` (server → agent): a hint, never an order to start. */
export interface Offer extends AttemptRef {
  readonly jobId: JobId;
  /** 1 for the first attempt of the job. */
  readonly number: number;
  readonly spec: JobSpec;
  /** Indexes of the GPUs assigned. */
  readonly gpus: readonly number[];
  /** Unanswered for this long, the offer is withdrawn. */
  readonly offerTtlMs: number;
}

/** Answer to `attempt:start`. `go` holds only if it arrives within 0.7 × `offerTtlMs` of the request being *sent*. */
export type StartAck =
  | { readonly kind: 'go'; readonly leaseMs: number | null }
  | { readonly kind: 'no'; readonly reason: 'superseded' | 'cancelled' | 'expired' };

/** `attempt:refuse`: the offer is declined; the job goes back to the queue without charge. */
export interface Refuse extends AttemptRef {
  readonly reason: Refusal;
  readonly detail?: string;
}

/** `attempt:end`: how it ended. Sent until acknowledged. */
export interface AttemptEnd extends AttemptRef {
  readonly outcome: Outcome;
  readonly exit: Exit | null;
  /** A sentence: which limit, which command, which error. */
  readonly detail: string | null;
  /** The JSON value of `MUSTER_RESULT`, at most 64 KiB here. */
  readonly result?: unknown;
  readonly usage: Usage;
  readonly containment: ContainmentRung;
  /** Processes that outlived the main one and had to be killed. */
  readonly leftovers: number;
  readonly logs: Partial<Record<LogStream, LogProof>>;
  /** How long the attempt ran, milliseconds on the agent's own clock. */
  readonly ranMs: number | null;
}

export type EndAck =
  | { readonly kind: 'accepted' }
  /** The same end was accepted before. */
  | { readonly kind: 'repeated' }
  /** Another attempt holds the job, or it is over: forget the end, still send the log. */
  | { readonly kind: 'superseded' };

/** `worker:beat`: proof of life; renews the lease of everything it lists. */
export interface Beat {
  readonly session: number;
  readonly executions: readonly ExecutionReport[];
  readonly sample: WorkerSample | null;
  /** True while the agent wants no new offers (it is stopping, its disk is full). */
  readonly paused: boolean;
  /** Slots that are free on the agent's side; the server never offers more. */
  readonly slotsFree: number;
  /**
   * Indexes, as in the inventory, of the GPUs that something else holds than the executions listed here: processes that could
   * not be killed, or that nobody wants any more and that are being stopped. None of them is offered. Absent before 1.1: none.
   */
  readonly gpusHeld?: readonly number[];
}

export interface BeatAck {
  readonly beatIntervalMs: number;
  /** Why the sample of this beat was not taken, naming the field; everything else of the beat was. */
  readonly sampleRefused?: string;
  /** As in the answer to a hello. Absent: as it was. */
  readonly slots?: number;
  readonly verdicts: readonly Verdict[];
}

/** `attempt:progress`: the newest line of `MUSTER_PROGRESS`. Latest wins; may be lost. */
export interface Progress extends AttemptRef {
  /** 0 to 1, or null when the job gave none. */
  readonly fraction: number | null;
  readonly message: string | null;
}

/** `metrics:append`: points read from `MUSTER_METRICS`, stored iff `offset` equals the stored byte length of that file. */
export interface MetricsAppend extends AttemptRef {
  readonly offset: number;
  /** Bytes of the file these points came from, bad lines included. */
  readonly rawLength: number;
  readonly points: readonly MetricPoint[];
}

export interface MetricPoint {
  readonly step: number | null;
  readonly at: string;
  readonly values: Readonly<Record<string, number>>;
}

/** Ack wrapper: a refusal of the message itself (not of what it asks) is `error`. */
export type Ack<T> = { readonly ok: T } | { readonly error: { readonly code: 'notSynced' | 'superseded' | 'unavailable' | 'invalidMessage' | 'shuttingDown'; readonly detail: string } };
type Reply<T> = (ack: Ack<T>) => void;

/** Agent → control plane; each is acknowledged once its effect is committed. */
export interface AgentToServerEvents {
  'worker:hello': (body: Hello, reply: Reply<HelloAck>) => void;
  'worker:beat': (body: Beat, reply: Reply<BeatAck>) => void;
  'attempt:start': (body: AttemptRef, reply: Reply<StartAck>) => void;
  'attempt:refuse': (body: Refuse, reply: Reply<Record<string, never>>) => void;
  'attempt:end': (body: AttemptEnd, reply: Reply<EndAck>) => void;
  'attempt:progress': (body: Progress, reply: Reply<Record<string, never>>) => void;
  'log:append': (body: LogChunk, reply: Reply<LogAck>) => void;
  'metrics:append': (body: MetricsAppend, reply: Reply<{ readonly storedLength: number }>) => void;
}

/** Control plane → agent. None is an order that must arrive: beats and hellos carry the truth. */
export interface ServerToAgentEvents {
  'attempt:offer': (body: Offer) => void;
  'attempt:command': (body: AttemptRef & { readonly command: AttemptCommand }) => void;
  'attempt:withdraw': (body: AttemptRef) => void;
  'worker:closing': (body: { readonly reason: DisconnectReason; readonly detail: string }) => void;
}

export const AGENT_TO_SERVER_EVENTS = [
  'worker:hello', 'worker:beat', 'attempt:start', 'attempt:refuse', 'attempt:end', 'attempt:progress', 'log:append', 'metrics:append',
] as const satisfies readonly (keyof AgentToServerEvents)[];

