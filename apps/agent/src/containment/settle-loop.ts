import { setTimeout as sleep } from 'node:timers/promises';

/** Asks until the answer is yes: at once, then after 1, 2, 4 … 50 ms. False when it was not within `deadlineMs`. */
export async function until(condition: () => boolean | Promise<boolean>, deadlineMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + deadlineMs;
  for (let pauseMs = 1; !(await condition()); pauseMs = Math.min(pauseMs * 2, 50)) {
    if (performance.now() >= giveUpAt) return false;
    await sleep(pauseMs);
  }
  return true;
}
