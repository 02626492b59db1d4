import { Injectable } from '@nestjs/common';
import type { AttemptId, LogStream } from '@muster/protocol';
import type { LogPiece } from './log-chunks.js';

/** Bytes that were just stored. */
export interface FreshPiece extends LogPiece {
  readonly logId: AttemptId;
  readonly stream: LogStream;
}

/**
 * Hands bytes from who stored them to who follows them on this replica, so that they are not read back. Called after the
 * commit; whoever misses a piece, or is on another replica, is told of the new length and reads it.
 */
@Injectable()
export class LogTails {
  private readonly listeners = new Map<AttemptId, Set<(piece: FreshPiece) => void>>();

  /** Whether it is worth keeping bytes of this log until they are stored. */
  isFollowed(logId: AttemptId): boolean {
    return this.listeners.has(logId);
  }

  /** Returns the function that ends the listening. */
  follow(logId: AttemptId, listener: (piece: FreshPiece) => void): () => void {
    const listeners = this.listeners.get(logId) ?? new Set();
    this.listeners.set(logId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.listeners.get(logId) === listeners) this.listeners.delete(logId);
    };
  }

  hand(piece: FreshPiece): void {
    for (const listener of this.listeners.get(piece.logId) ?? []) listener(piece);
  }
}
