/** What the control plane shall do: an answer, rows to store, and things to say once they are committed. All of it data. */
import type {
  AttemptCommand, AttemptId, AttemptRef, DisconnectReason, EndAck, EventType, JobAction, JobId, JobStatus, StartAck, Verdict,
  WorkerId,
} from '@muster/protocol';
import type { AttemptFacts, JobFacts, WorkerFacts } from '../facts.js';
import type { ServerCommand } from './commands.js';

/**
 * The sender is not, or no longer, this worker's agent: its socket is closed with this reason. `notSynced`: it is one that
 * these rows do not know yet, and is asked to say hello. Nothing was changed.
 */
export interface SenderRefused {
  readonly kind: 'senderRefused';
  readonly reason: Extract<DisconnectReason, 'superseded' | 'removed' | 'keyRevoked'> | 'notSynced';
}

export interface HelloDone {
  readonly kind: 'synced';
  readonly session: number;
  /** How many the worker has now. */
  readonly slots: number;
  readonly verdicts: readonly Verdict[];
}

export interface BeatDone {
  readonly kind: 'beat';
  /** How many the worker has now. */
  readonly slots: number;
  readonly verdicts: readonly Verdict[];
}

export interface Done {
  readonly kind: 'done';
}

/** The job's state does not allow the action: 409. */
export interface Illegal {
  readonly kind: 'illegal';
  readonly status: JobStatus;
  readonly allowedActions: readonly JobAction[];
  /** Why, and what to do, where the status alone does not say it. */
  readonly detail?: string;
}

/** What is known of the worker does not allow the order: 409. */
export interface IllegalOrder {
  readonly kind: 'illegalOrder';
  /** What speaks against it. */
  readonly detail: string;
  /** What to do about it. */
  readonly hint: string;
}

export interface NotFound {
  readonly kind: 'notFound';
}

/** The answer to each command, by its type. */
export interface ServerReplies {
  hello: HelloDone | SenderRefused;
  beat: BeatDone | SenderRefused;
  start: StartAck | SenderRefused;
  refuse: Done | SenderRefused;
  end: EndAck | SenderRefused;
  cancel: Done | Illegal | NotFound;
  pause: Done | Illegal | NotFound;
  resume: Done | Illegal | NotFound;
  requeue: Done | Illegal | NotFound;
  abandon: Done | Illegal | NotFound;
  cordon: Done | IllegalOrder | NotFound;
  drain: Done | IllegalOrder | NotFound;
  undrain: Done | IllegalOrder | NotFound;
  setSlots: Done | IllegalOrder | NotFound;
  removeWorker: Done | IllegalOrder | NotFound;
  sweepDrain: Done;
  sweepAttempt: Done;
  sweepQueued: Done;
  workerLink: Done;
}
export type ReplyOf<Command extends ServerCommand> = ServerReplies[Command['type']];

/** A fact for the event table; the store adds id, sequence and time. */
export interface NewEvent {
  readonly type: EventType;
  readonly actor: string;
  readonly jobId: JobId | null;
  readonly attemptId: AttemptId | null;
  readonly workerId: WorkerId | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Said after the commit, at most once, and allowed to be lost: polls, beats and hellos carry the truth. */
export type Notice =
  /**
   * Only to the start of the agent it was made for: said late to a newer one, which is granted what its worker holds, it would
   * start beside the older one's process.
   */
  | { readonly kind: 'offer'; readonly workerId: WorkerId; readonly session: number; readonly attemptId: AttemptId }
  | { readonly kind: 'command'; readonly workerId: WorkerId; readonly ref: AttemptRef; readonly command: AttemptCommand }
  | { readonly kind: 'withdraw'; readonly workerId: WorkerId; readonly ref: AttemptRef }
  /** Every socket of the worker whose session is this one or an older one. */
  | { readonly kind: 'closeSession'; readonly workerId: WorkerId; readonly session: number; readonly reason: DisconnectReason }
  /** A slot or a job became free. */
  | { readonly kind: 'wakeDispatch' }
  /** For those who follow the job. */
  | { readonly kind: 'jobChanged'; readonly jobId: JobId; readonly status: JobStatus };

export interface ServerDecision<Reply = ServerReplies[keyof ServerReplies]> {
  readonly reply: Reply;
  /** Whole new rows of what changed. A row stands here once, as it is to be stored. */
  readonly jobs: readonly JobFacts[];
  /** Changed and new attempts; one whose id the slice did not hold is to be inserted. */
  readonly attempts: readonly AttemptFacts[];
  readonly workers: readonly WorkerFacts[];
  /** Values of `MUSTER_RESULT` to store with the job. */
  readonly results: readonly { readonly jobId: JobId; readonly value: unknown }[];
  readonly events: readonly NewEvent[];
  /** The control plane's own lines in a job's log. */
  readonly systemLines: readonly { readonly logId: AttemptId; readonly text: string }[];
  readonly notices: readonly Notice[];
}
