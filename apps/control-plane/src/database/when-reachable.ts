import { Backoff, createSystemClock, type Logger } from '@muster/runtime';
import { isAway } from './database-errors.js';

/**
 * Does a piece of a start, again and again while PostgreSQL is away, as long as it takes. The piece must be safe to repeat.
 * Rejects when the signal aborts, and for every other error.
 */
export async function whenReachable(work: () => Promise<void>, log: Logger, signal?: AbortSignal): Promise<void> {
  const backoff = new Backoff({ baseMs: 500, maxMs: 5_000, minMs: 100 });
  const clock = createSystemClock();
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!isAway(error)) throw error;
      const delayMs = backoff.nextDelayMs();
      if (backoff.failures === 1) log.warn({ err: error }, 'waiting for the database');
      await clock.sleep(delayMs, signal);
    }
  }
}
