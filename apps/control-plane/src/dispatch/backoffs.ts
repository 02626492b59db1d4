import { Loop } from '@muster/runtime';
import type { Database } from '../database/database.js';
import { BACKOFFS_END } from './dispatch.sql.js';

/** The truth when no word of a new backoff arrived. */
const POLL_MS = 1_500;

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
      run: () => this.end(),
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

  private async end(): Promise<void> {
    this.nextMs = null;
    if (!this.options.isNeeded()) return;
    const [row] = await this.options.database.lane('dispatch').query<{ ended: number; next_ms: number | null }>(BACKOFFS_END);
    this.nextMs = row?.next_ms ?? null;
    if (row && row.ended > 0) this.options.onEnded();
  }
}
