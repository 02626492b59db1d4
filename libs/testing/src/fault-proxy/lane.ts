import type { Socket } from 'node:net';
import { breakOff } from './break-off.js';

/** What one direction of a connection suffers. All at once is allowed; the default is a wire that does nothing. */
export interface LaneShape {
  /** Added to every piece, in milliseconds. */
  readonly delayMs: number;
  /** Up to this much more, another for each piece. Bytes never overtake each other: it is one TCP stream. */
  readonly jitterMs: number;
  /** Bytes per second, or null for as fast as it goes. */
  readonly bytesPerSecond: number | null;
  /**
   * A black hole: nothing arrives, neither bytes nor the news that the other end closed or broke off. As a network that loses packets
   * does, it keeps what TCP would send again: when the hole closes everything comes, in order.
   */
  readonly isCut: boolean;
}

export const PLAIN_WIRE: LaneShape = { delayMs: 0, jitterMs: 0, bytesPerSecond: null, isCut: false };

/** Beyond this much held back, the sender is no longer read from, as with a real wire's full windows. */
const HELD_BYTES_MAX = 256 * 1024;

interface Held {
  readonly bytes: Buffer;
  readonly dueMs: number;
}

/** One direction of one connection: reads from one socket, writes to the other, as its shape says. */
export class Lane {
  private shape = PLAIN_WIRE;
  private readonly held: Held[] = [];
  private heldBytes = 0;
  private hasEnded = false;
  private hasBroken = false;
  private isOver = false;
  private timer: NodeJS.Timeout | null = null;
  /** The wire is busy with what was sent before until then. */
  private freeAtMs = 0;
  private bytesLeft = Number.POSITIVE_INFINITY;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly random: () => number,
    private readonly spent: () => void,
  ) {
    from.on('data', (bytes: Buffer) => this.take(bytes));
    from.on('end', () => {
      this.hasEnded = true;
      this.deliver();
    });
    to.on('drain', () => this.deliver());
  }

  setShape(shape: LaneShape): void {
    this.shape = shape;
    this.deliver();
  }

  /** The sender broke off without a word; so does the other end, when the news can reach it. */
  breakOff(): void {
    this.hasBroken = true;
    this.deliver();
  }

  /**
   * Lets this many more bytes through, or all; then `spent` is called, in the middle of whatever is being said.
   */
  limit(bytes: number): void {
    this.bytesLeft = bytes;
  }

  /** From now on nothing is delivered; what comes is read and thrown away, so that its sender notices nothing. */
  deafen(): void {
    this.isOver = true;
    this.held.length = 0;
    this.heldBytes = 0;
    this.stopTimer();
    this.from.resume();
  }

  private take(bytes: Buffer): void {
    if (this.isOver) return;
    const { delayMs, jitterMs } = this.shape;
    this.held.push({ bytes, dueMs: performance.now() + delayMs + jitterMs * this.random() });
    this.heldBytes += bytes.length;
    if (this.heldBytes > HELD_BYTES_MAX) this.from.pause();
    this.deliver();
  }

  /** Writes what is due, and comes back for the rest. */
  private deliver(): void {
    this.stopTimer();
    while (!this.isOver && !this.shape.isCut && !this.to.writableNeedDrain) {
      const next = this.held[0];
      if (!next) break;
      const waitMs = Math.max(next.dueMs, this.freeAtMs) - performance.now();
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.deliver(), waitMs);
        return;
      }
      this.held.shift();
      this.heldBytes -= next.bytes.length;
      this.write(next.bytes);
    }
    if (this.isOver || this.shape.isCut) return;
    if (this.hasBroken) return breakOff(this.to);
    if (this.heldBytes <= HELD_BYTES_MAX / 2) this.from.resume();
    if (this.hasEnded && this.held.length === 0) this.to.end();
  }

  private write(bytes: Buffer): void {
    const passing = bytes.subarray(0, this.bytesLeft);
    this.bytesLeft -= passing.length;
    const { bytesPerSecond } = this.shape;
    if (bytesPerSecond !== null) this.freeAtMs = performance.now() + (passing.length / bytesPerSecond) * 1_000;
    if (passing.length > 0) this.to.write(passing);
    if (this.bytesLeft > 0) return;
    this.deafen();
    this.spent();
  }

  private stopTimer(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }
}
