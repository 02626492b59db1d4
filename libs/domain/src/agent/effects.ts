/**
 * What the agent's shell shall do, in the order given. An effect that must be durable says so: before it is, the shell does
 * not begin the next one of the same execution. Other executions, and beats, never wait for it.
 */
import type { AttemptEnd, AttemptId, AttemptRef, Beat, DisconnectReason, ExecutionReport, Refuse } from '@muster/protocol';
import type { Intent, StopCause } from './state.js';

/** The parts of a beat that the reducer knows; the shell adds the sample. */
export type BeatFacts = Omit<Beat, 'sample'>;

export type AgentEffect =
  /**
   * Send, and give the answer back as `…Answered` with `sentMs` = the boot clock read just before sending. Only on the
   * connection that is up; if there is none, answer `timeout`.
   */
  | { readonly type: 'sendHello'; readonly connection: number; readonly session: number; readonly executions: readonly ExecutionReport[]; readonly gpusHeld: readonly number[] }
  | { readonly type: 'sendBeat'; readonly beat: BeatFacts }
  | { readonly type: 'sendStart'; readonly ref: AttemptRef }
  | { readonly type: 'sendRefuse'; readonly refuse: Refuse }
  | { readonly type: 'sendEnd'; readonly end: AttemptEnd }
  /** People gave the worker another number of slots: open as many, or close those above it once they are empty. */
  | { readonly type: 'setSlots'; readonly slots: number }
  /** Durable: make the directory with what is needed to run. Answered by `intentWritten` or `intentFailed`. */
  | { readonly type: 'writeIntent'; readonly intent: Intent }
  /**
   * Start it. `notAfterMs`: if the boot clock is past it when the process would be made, nothing is started and `ended`
   * with outcome `refused` is given. `deadlineMs` (only `exclusive`): handed to the warden *before* the process exists.
   */
  | { readonly type: 'spawn'; readonly executionId: AttemptId; readonly notAfterMs: number; readonly deadlineMs: number | null }
  /** Durable, only `exclusive`: the warden kills at this moment, with or without us. Never moves back. */
  | { readonly type: 'setDeadline'; readonly executionId: AttemptId; readonly deadlineMs: number }
  /** Durable cause first, then the ladder: signal, grace, KILL, verify. Repeated or stronger orders are harmless. */
  | { readonly type: 'stop'; readonly executionId: AttemptId; readonly cause: StopCause; readonly isForced: boolean; readonly graceSeconds: number }
  | { readonly type: 'freeze'; readonly executionId: AttemptId }
  | { readonly type: 'thaw'; readonly executionId: AttemptId }
  /** Durable: the execution goes on in the term of another attempt. */
  | { readonly type: 'rebind'; readonly executionId: AttemptId; readonly ref: AttemptRef }
  /**
   * Durable: its end is settled, only its log is left. Ship to the last byte, then give `logDone`. Comes for every
   * execution that had a process.
   */
  | { readonly type: 'settle'; readonly executionId: AttemptId }
  /** Remove the directory. Nothing of it is needed any more. */
  | { readonly type: 'forget'; readonly executionId: AttemptId }
  /** First contact: keep the worker's id in the state directory. */
  | { readonly type: 'keepIdentity'; readonly workerId: string }
  /** Close the socket and connect again, with the usual pause. */
  | { readonly type: 'reconnect'; readonly reason: string }
  /** End the agent. `code` 78: do not start again until somebody changed something. */
  | { readonly type: 'exit'; readonly code: 0 | 78; readonly reason: DisconnectReason | 'asked' };
