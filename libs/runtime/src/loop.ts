import { createSystemClock, type Clock } from './clock.js';

export interface LoopOptions {
  /** Named in errors and logs. */
  readonly name: string;
  /** From the end of one tick to the start of the next. A function is asked before every wait. */
  readonly intervalMs: number | (() => number);
  /** Share of the interval added at random, 0 to 1, so that replicas do not tick in step. 0.1 unless told. */
  readonly jitter?: number;
  /** One tick. The signal aborts when the loop is being stopped; a tick may ignore it and is still waited for. */
  readonly run: (signal: AbortSignal) => Promise<unknown>;
  /** A tick that throws never ends the loop: it is told here, with how many ticks in a row have failed. */
  readonly onError: (error: unknown, consecutiveFailures: number) => void;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** Named so that nobody makes an error with its stack for what happens at every submission. */
const WOKEN = 'woken';

/**
 * Repeats a piece of work. Ticks never overlap, whoever asks for them; stopping waits for the running tick.
 *
 * ```
 *  start ──> tick ──> wait interval + jitter ──> tick ──> …
 *                       wake() ends the wait      wake() during a tick: one more right after it
 * ```
 */
export class Loop {
  private readonly clock: Clock;
  private readonly random: () => number;
  private stopping: AbortController | undefined;
  private loop: Promise<void> | undefined;
  private waiting: AbortController | undefined;
  private running: Promise<void> | undefined;
  private following: Promise<void> | undefined;
  private isWoken = false;
  private failures = 0;

  constructor(private readonly options: LoopOptions) {
    this.clock = options.clock ?? createSystemClock();
    this.random = options.random ?? Math.random;
  }

  get isStarted(): boolean {
    return this.stopping !== undefined;
  }

  /** The first tick runs at once. Starting a started loop changes nothing. */
  start(): void {
    if (this.stopping) return;
    const stopping = new AbortController();
    this.stopping = stopping;
    this.loop = this.repeat(stopping.signal);
  }

  /**
   * No tick starts after this; resolves when the running one has ended. May be called many times. A tick must not
   * await it, since it would wait for itself.
   */
  async stop(): Promise<void> {
    this.stopping?.abort();
    this.waiting?.abort();
    await this.loop;
    await this.following;
    await this.running;
    this.stopping = undefined;
    this.loop = undefined;
  }

  /** Asks for a tick now instead of at the end of the interval. Many calls during one tick make one more tick. */
  wake(): void {
    this.isWoken = true;
    this.waiting?.abort(WOKEN);
  }

  /**
   * Runs one whole tick that starts after this call, started or not, and resolves when it has ended. Callers that come
   * while a tick runs share the one that follows it. Used by tests and by callers that need the effect.
   */
  tick(): Promise<void> {
    // The order matters: a tick has ended a moment before the one that follows it begins.
    if (this.following) return this.following;
    if (!this.running) return this.runOnce();
    this.following = this.running.then(() => {
      this.following = undefined;
      return this.runOnce();
    });
    return this.following;
  }

  private async repeat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.isWoken = false;
      await this.tick();
      if (!signal.aborted && !this.isWoken) await this.wait();
    }
  }

  private async wait(): Promise<void> {
    const waiting = new AbortController();
    this.waiting = waiting;
    const { intervalMs, jitter = 0.1 } = this.options;
    const baseMs = typeof intervalMs === 'function' ? intervalMs() : intervalMs;
    try {
      await this.clock.sleep(baseMs * (1 + jitter * this.random()), waiting.signal);
    } catch (error) {
      if (!waiting.signal.aborted) throw error;
    } finally {
      this.waiting = undefined;
    }
  }

  private runOnce(): Promise<void> {
    const signal = this.stopping?.signal ?? new AbortController().signal;
    const running = this.attempt(signal).finally(() => {
      this.running = undefined;
    });
    this.running = running;
    return running;
  }

  private async attempt(signal: AbortSignal): Promise<void> {
    try {
      await this.options.run(signal);
      this.failures = 0;
    } catch (error) {
      this.failures += 1;
      this.options.onError(error, this.failures);
    }
  }
}
