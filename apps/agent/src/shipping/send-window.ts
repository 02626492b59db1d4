/**
 * How many bytes of logs may be on their way to the control plane, for all attempts together.
 *
 * Beats and logs share one connection, so a beat waits behind whatever was written before it. The window therefore
 * follows the time an acknowledgement takes: it doubles its way up while answers come promptly and halves when they do
 * not, which keeps the queue in front of a beat near `slowMs` on any network. The files hold the rest.
 */
export interface SendWindowOptions {
  /** Never more than this. */
  readonly limitBytes: number;
  /** Never less than this. */
  readonly leastBytes: number;
  /** An answer within this time widens the window. */
  readonly promptMs: number;
  /** An answer after this time narrows it. */
  readonly slowMs: number;
}

/** 4 MiB is what one agent may hold unacknowledged. */
export const SEND_WINDOW_DEFAULTS: SendWindowOptions = {
  limitBytes: 4 * 1024 * 1024,
  leastBytes: 64 * 1024,
  promptMs: 500,
  slowMs: 1_500,
};

interface Waiter {
  readonly sizeBytes: number;
  readonly grant: () => void;
}

export class SendWindow {
  private allowedBytes: number;
  private usedBytes = 0;
  private waiters: Waiter[] = [];
  private narrowedAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: SendWindowOptions = SEND_WINDOW_DEFAULTS) {
    this.allowedBytes = Math.min(options.limitBytes, Math.max(options.leastBytes, 4 * options.leastBytes));
  }

  /** Bytes taken and not yet given back. */
  get inFlightBytes(): number {
    return this.usedBytes;
  }

  /** What may be in flight now. */
  get widthBytes(): number {
    return this.allowedBytes;
  }

  /**
   * Resolves when there is room, first come first served. Something larger than the whole window goes when nothing else
   * is on its way. Rejects with the signal's reason; then nothing was taken.
   */
  take(sizeBytes: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.waiters.length === 0 && this.hasRoom(sizeBytes)) {
      this.usedBytes += sizeBytes;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.waiters = this.waiters.filter((other) => other !== waiter);
        reject(signal.reason);
        this.admit();
      };
      const waiter: Waiter = {
        sizeBytes,
        grant: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.waiters.push(waiter);
    });
  }

  /** Gives back what `take` granted. Call exactly once per grant. */
  giveBack(sizeBytes: number): void {
    this.usedBytes -= sizeBytes;
    this.admit();
  }

  /** An acknowledgement came after this long: the window learns from it. */
  learn(sizeBytes: number, tookMs: number, nowMs: number): void {
    const { limitBytes, leastBytes, promptMs, slowMs } = this.options;
    if (tookMs <= promptMs) this.allowedBytes = Math.min(limitBytes, this.allowedBytes + sizeBytes);
    // Once per round trip: all chunks of one congested moment are late together.
    if (tookMs > slowMs && nowMs - this.narrowedAtMs > tookMs) {
      this.allowedBytes = Math.max(leastBytes, Math.floor(this.allowedBytes / 2));
      this.narrowedAtMs = nowMs;
    }
    this.admit();
  }

  private hasRoom(sizeBytes: number): boolean {
    return this.usedBytes === 0 || this.usedBytes + sizeBytes <= this.allowedBytes;
  }

  private admit(): void {
    for (let first = this.waiters[0]; first && this.hasRoom(first.sizeBytes); first = this.waiters[0]) {
      this.waiters.shift();
      this.usedBytes += first.sizeBytes;
      first.grant();
    }
  }
}
