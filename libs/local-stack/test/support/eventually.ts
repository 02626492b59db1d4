import { setTimeout as delay } from 'node:timers/promises';

/** Waits until the look answers something truthy; fails with its last words after the deadline. */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  deadlineMs = 60_000,
): Promise<NonNullable<T>> {
  const untilMs = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > untilMs) throw new Error(`Not within ${deadlineMs / 1_000} s: ${what}.`);
    await delay(50);
  }
}
