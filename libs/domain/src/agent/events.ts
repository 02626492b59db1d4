/** What can happen to an agent. Every event carries the boot clock's time at which the shell took it up. */
import type {
  Ack, AttemptCommand, AttemptId, AttemptRef, BeatAck, DisconnectReason, EndAck, HelloAck, Offer, Refusal, StartAck,
} from '@muster/protocol';
import type { EndReport } from './state.js';

interface At {
  readonly nowMs: number;
}

/** An answer names the moment its request was *sent*, because every term is counted from there. */
interface Answer<T> extends At {
  readonly sentMs: number;
  /** `timeout`: none came in time; it may still have been done. */
  readonly answer: Ack<T> | 'timeout';
}

export type LinkEvent =
  | (At & { readonly type: 'connected' })
  | (At & { readonly type: 'disconnected' })
  | (Answer<HelloAck> & { readonly type: 'helloAnswered'; readonly connection: number })
  | (Answer<BeatAck> & { readonly type: 'beatAnswered' })
  /** `worker:closing`: the server is about to close the socket. */
  | (At & { readonly type: 'closing'; readonly reason: DisconnectReason; readonly detail: string });

export type OfferEvent =
  /** `objection`: what the machine says against it (disk, containment, kind of run); null when it could run here. */
  | (At & { readonly type: 'offered'; readonly offer: Offer; readonly objection: { readonly reason: Refusal; readonly detail: string } | null })
  | (At & { readonly type: 'withdrawn'; readonly ref: AttemptRef })
  | (At & { readonly type: 'intentWritten'; readonly executionId: AttemptId })
  /** `reason`: what the server is told of it. */
  | (At & { readonly type: 'intentFailed'; readonly executionId: AttemptId; readonly reason: Refusal; readonly detail: string })
  | (Answer<StartAck> & { readonly type: 'startAnswered'; readonly ref: AttemptRef })
  | (Answer<Record<string, never>> & { readonly type: 'refuseAnswered'; readonly ref: AttemptRef });

export type ProcessEvent =
  /** The process is alive. */
  | (At & { readonly type: 'started'; readonly executionId: AttemptId })
  | (At & { readonly type: 'frozen'; readonly executionId: AttemptId })
  | (At & { readonly type: 'thawed'; readonly executionId: AttemptId })
  /**
   * It is over: tree proven empty (or given up on: `isQuarantined`), hooks run, and `end` durably recorded. Also for a
   * start that failed (`spawnFailed`, `inputFailed`), and with outcome `refused` for one whose `spawn` came too late.
   */
  | (At & { readonly type: 'ended'; readonly executionId: AttemptId; readonly end: EndReport; readonly isQuarantined: boolean })
  | (Answer<EndAck> & { readonly type: 'endAnswered'; readonly ref: AttemptRef })
  /** After the end: every byte is acknowledged, or the server said `gone`. */
  | (At & { readonly type: 'logDone'; readonly executionId: AttemptId });

export type ControlEvent =
  | (At & { readonly type: 'commanded'; readonly ref: AttemptRef; readonly command: AttemptCommand })
  /** A moment named by `nextWakeMs` has come; harmless at any other. */
  | (At & { readonly type: 'tick' })
  /** The agent is asked to end. `keepJobs`: processes live on for the next start. */
  | (At & { readonly type: 'stopAsked'; readonly keepJobs: boolean })
  /** The machine began, or ceased, to object to all offers (disk floor). */
  | (At & { readonly type: 'objectionChanged'; readonly objection: Refusal | null })
  /** A quarantined slot was proven empty after all. */
  | (At & { readonly type: 'slotReleased' });

export type AgentEvent = LinkEvent | OfferEvent | ProcessEvent | ControlEvent;
