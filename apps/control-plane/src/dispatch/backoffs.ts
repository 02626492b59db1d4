import { Loop } from '@muster/runtime';
import type { Database } from '../database/database.js';
import { BACKOFFS_END } from './dispatch.sql.js';

/** The truth when no word of a new backoff arrived. */
const POLL_MS = 1_500;
/** What BACKOFFS_END takes at most. */
const BATCH_MAX = 1_000;
/** When to look again at jobs that somebody else held. */
const HELD_MS = 50;

/** What one look came to: how many were put back in line, how many were due (counted to one more than a batch). */
export interface BackoffsLook {
  readonly ended: number;
  readonly due: number;
  /** Until the next backoff ends; null when there is none. */
  readonly next_ms: number | null;
}

export interface BackoffsOptions {
  readonly database: Database;
  /** False while there is nobody here to give a job to: then other replicas look, or nobody needs to. */
  readonly isNeeded: () => boolean;
  /** Jobs are back in line. */
  readonly onEnded: () => void;
  readonly onError: (error: unknown, consecutiveFailures: number) => void;
}

/** Puts jobs whose backoff is over back in line, each when it is due: the next one is known from the last look. */
export class Backoffs {
  private readonly loop: Loop;
  private nextMs: number | null = null;

  constructor(private readonly options: BackoffsOptions) {
    this.loop = new Loop({
      name: 'backoffs',
      intervalMs: () => Math.min(POLL_MS, this.nextMs ?? POLL_MS),
      jitter: 0,
      run: (signal) => this.end(signal),
      onError: options.onError,
    });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** A job has just begun a backoff, which may end before the next one known. */
  wake(): void {
    this.loop.wake();
  }

  tick(): Promise<void> {
    return this.loop.tick();
  }

  private async end(signal: AbortSignal): Promise<void> {
    this.nextMs = null;
    if (!this.options.isNeeded()) return;
    let pauseMs = 0;
    while (pauseMs === 0 && !signal.aborted) {
      const [look] = await this.options.database.lane('dispatch').query<BackoffsLook>(BACKOFFS_END);
      if (!look) return;
      if (look.ended > 0) this.options.onEnded();
      pauseMs = pauseAfter(look);
    }
    this.nextMs = pauseMs;
  }
}

/** How long to wait after a look: not at all after a whole batch, briefly while others hold jobs that are due, else until the next is. */
export function pauseAfter({ ended, due, next_ms: nextMs }: BackoffsLook): number {
  if (ended >= BATCH_MAX) return 0;
  const restMs = Math.max(1, nextMs ?? POLL_MS);
  return due > ended ? Math.min(HELD_MS, restMs) : restMs;
}
