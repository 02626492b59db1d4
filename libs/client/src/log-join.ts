import type { LogFollowEvent } from '@muster/protocol';
import { fromBase64 } from './base64.js';

/** A piece of a log: raw bytes as the job printed them. */
export interface LogPiece {
  readonly type: 'log';
  readonly attemptId: string;
  readonly stream: string;
  /** Where in the stream its first byte stands. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** When the agent read it, RFC 3339. */
  readonly readAt: string;
}

/** What a follower of a log is given, in order. */
export type LogEvent = LogPiece | Exclude<LogFollowEvent, { readonly type: 'log' }>;

/** Bytes that should have come before the ones that did. */
export interface LogHole {
  readonly attemptId: string;
  readonly stream: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Joins what several connections say into one log without a gap and without a repeat: it knows how far each stream of
 * each attempt was delivered, drops and trims what comes again, and refuses what does not follow.
 */
export class LogJoin {
  private readonly delivered = new Map<string, number>();
  private readonly attemptsSeen = new Set<string>();
  private lastStatus = '';

  /** The events to deliver, or the hole that must be filled before this one. */
  take(event: LogFollowEvent): readonly LogEvent[] | LogHole {
    switch (event.type) {
      case 'log': {
        const { base64, ...rest } = event;
        return this.takeBytes({ ...rest, bytes: fromBase64(base64) });
      }
      case 'gap':
        return this.takeGap(event);
      case 'attempt':
        if (this.attemptsSeen.has(event.attemptId)) return [];
        this.attemptsSeen.add(event.attemptId);
        return [event];
      case 'status': {
        const text = JSON.stringify(event);
        if (text === this.lastStatus) return [];
        this.lastStatus = text;
        return [event];
      }
      case 'end':
        return [event];
    }
  }

  /** Gives up on a hole: later bytes of that stream are taken again. */
  skip(hole: LogHole): LogEvent {
    this.delivered.set(keyOf(hole), hole.offset + hole.length);
    return { type: 'gap', ...hole };
  }

  private takeBytes(piece: LogPiece): readonly LogEvent[] | LogHole {
    const end = piece.offset + piece.bytes.length;
    const at = this.delivered.get(keyOf(piece)) ?? piece.offset;
    if (piece.offset > at) return holeBefore(piece, at);
    if (end <= at) return [];
    this.delivered.set(keyOf(piece), end);
    return [at === piece.offset ? piece : { ...piece, offset: at, bytes: piece.bytes.subarray(at - piece.offset) }];
  }

  private takeGap(gap: Extract<LogFollowEvent, { type: 'gap' }>): readonly LogEvent[] | LogHole {
    const end = gap.offset + gap.length;
    const at = this.delivered.get(keyOf(gap)) ?? gap.offset;
    if (gap.offset > at) return holeBefore(gap, at);
    if (end <= at) return [];
    this.delivered.set(keyOf(gap), end);
    return [{ ...gap, offset: at, length: end - at }];
  }
}

function keyOf(place: { readonly attemptId: string; readonly stream: string }): string {
  return `${place.attemptId}:${place.stream}`;
}

function holeBefore(
  next: { readonly attemptId: string; readonly stream: string; readonly offset: number },
  at: number,
): LogHole {
  return { attemptId: next.attemptId, stream: next.stream, offset: at, length: next.offset - at };
}
