import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  /** A minute unless told: long enough for a noisy machine, short enough to be read. */
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/**
 * Waits until `look` answers something other than `undefined`, `null` or `false`, and returns that. An error of `look`
 * counts as "not yet" and is told when the time is over.
 */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<Exclude<T, undefined | null | false>> {
  const { timeoutMs = 60_000, everyMs = 25 } = options;
  const untilMs = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      last = await look();
      if (last !== undefined && last !== null && last !== false) return last as Exclude<T, undefined | null | false>;
    } catch (error) {
      last = error;
    }
    if (performance.now() > untilMs) {
      throw new Error(`Not within ${timeoutMs} ms: ${what}.`, { cause: last });
    }
    await delay(everyMs);
  }
}
