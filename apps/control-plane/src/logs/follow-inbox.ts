import type { FreshPiece } from './log-tails.js';

/** Bytes kept for a reader that is behind; beyond it they are read back when there is room. */
const HELD_BYTES_MAX = 1024 * 1024;

/** What came for one follower since it last looked: bytes, or word that it is worth looking. For one waiter at a time. */
export class FollowInbox {
  private pieces: FreshPiece[] = [];
  private heldBytes = 0;
  private isLookWanted = false;
  private wake: () => void = () => undefined;

  /** Bytes were stored. A reader that does not keep up loses them here, and reads them later. */
  hand(piece: FreshPiece): void {
    this.heldBytes += piece.bytes?.length ?? 0;
    if (this.heldBytes > HELD_BYTES_MAX) {
      this.takePieces();
      this.isLookWanted = true;
    } else this.pieces.push(piece);
    this.wake();
  }

  /** Something is stored that did not come here, or may be. */
  wantLook(): void {
    this.isLookWanted = true;
    this.wake();
  }

  /** Wakes who waits, for nothing that is kept here. */
  ring(): void {
    this.wake();
  }

  get hasPieces(): boolean {
    return this.pieces.length > 0;
  }

  get wantsLook(): boolean {
    return this.isLookWanted;
  }

  takePieces(): FreshPiece[] {
    const { pieces } = this;
    this.pieces = [];
    this.heldBytes = 0;
    return pieces;
  }

  /** A look begins: what is said from now on asks for another. */
  beginLook(): void {
    this.isLookWanted = false;
  }

  /** Resolves at the next word, or after `longestMs`. */
  wait(longestMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(done, longestMs);
      this.wake = done;
    });
  }
}
