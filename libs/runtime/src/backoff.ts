/** How the wait between tries grows. */
export interface BackoffOptions {
  /** Upper bound of the wait after the first failure. */
  readonly baseMs: number;
  /** Upper bound of every wait. */
  readonly maxMs: number;
  /** Lower bound of every wait; 0 unless told. */
  readonly minMs?: number;
}

/**
 * The wait before try number `failures + 1`, with full jitter: uniform between `minMs` and the doubled bound. Many
 * clients that lost one server at the same instant come back spread out, not in step.
 *
 * @param failures how many tries have failed so far, from 1
 */
export function backoffDelayMs(failures: number, options: BackoffOptions, random: () => number = Math.random): number {
  const boundMs = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(Math.max(0, failures - 1), 52));
  const minMs = Math.min(options.minMs ?? 0, boundMs);
  return minMs + random() * (boundMs - minMs);
}

/** Counts consecutive failures and says how long to wait. One per connection or resource. */
export class Backoff {
  private count = 0;

  constructor(
    private readonly options: BackoffOptions,
    private readonly random: () => number = Math.random,
  ) {}

  /** Failures since the last `reset`. */
  get failures(): number {
    return this.count;
  }

  /** Records one failure and returns how long to wait before the next try. */
  nextDelayMs(): number {
    this.count += 1;
    return backoffDelayMs(this.count, this.options, this.random);
  }

  /** Called on success: the next failure waits shortly again. */
  reset(): void {
    this.count = 0;
  }
}
