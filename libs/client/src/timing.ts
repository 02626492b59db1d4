/** How often and how patiently a call that failed for no fault of its own is made again. */
export interface RetryOptions {
  /** Tries in all, from 1 (never again). Default 4. */
  readonly triesMax: number;
  /** Bound of the first pause; doubles with each try. Default 250 ms. */
  readonly baseMs: number;
  /** Bound of every pause. Default 5 s. */
  readonly maxMs: number;
}

export const DEFAULT_RETRY: RetryOptions = { triesMax: 4, baseMs: 250, maxMs: 5_000 };

/** The passing of time and chance; replaced by tests. */
export interface Timing {
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  nowMs(): number;
  random(): number;
}

export const systemTiming: Timing = {
  nowMs: () => Date.now(),
  random: () => Math.random(),
  sleep: (ms, signal) =>
    new Promise<void>((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};

/**
 * Full jitter: anywhere between 0 and a bound that doubles, so that clients which lost one server at the same instant
 * come back spread out.
 *
 * @param failures tries that have failed so far, from 1
 */
export function pauseMs(failures: number, retry: Pick<RetryOptions, 'baseMs' | 'maxMs'>, random: () => number): number {
  return random() * Math.min(retry.maxMs, retry.baseMs * 2 ** Math.min(failures - 1, 30));
}
