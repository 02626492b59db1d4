import { performance } from 'node:perf_hooks';
import { createUptimeReader, relyingOn, type UptimeReader } from './uptime.js';

/** Everything that asks for the time asks a clock, so that tests move time and never wait for it. */
export interface Clock {
  /** Milliseconds since 1970 by the wall clock. May jump in either direction when the machine's clock is set. */
  nowMs(): number;
  /**
   * Milliseconds on a clock that never goes back and keeps counting while the machine is suspended. Only differences
   * mean anything. Leases and fences are measured on it: a laptop that slept for an hour has lost its leases.
   */
  monotonicMs(): number;
  /** Resolves after `durationMs`. Rejects with the signal's reason as soon as it aborts; no timer is left behind. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

/** `setTimeout` fires at once for anything longer; longer sleeps are cut into pieces. */
const TIMER_MAX_MS = 2_147_483_647;

/** `/proc/uptime` is cut to hundredths of a second, so two readings of one truth differ by less than this. */
const UPTIME_RESOLUTION_MS = 15;

/** The machine's own clock. `readUptime` is given only by tests. */
export function createSystemClock(readUptime: UptimeReader = relyingOn(createUptimeReader())): Clock {
  // Node's monotonic clock is precise but stands still while the machine is suspended; the uptime is coarse but counts
  // it. The offset between the two is constant except across a suspension, so only growth beyond the resolution counts.
  let offsetMs = (readUptime() ?? performance.now()) - performance.now();
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => {
      const awakeMs = performance.now();
      const uptimeMs = readUptime();
      if (uptimeMs !== undefined && uptimeMs - awakeMs > offsetMs + UPTIME_RESOLUTION_MS) offsetMs = uptimeMs - awakeMs;
      return awakeMs + offsetMs;
    },
    sleep,
  };
}

function sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    let remainingMs = Math.max(0, durationMs);
    let timer: NodeJS.Timeout;
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const arm = (): void => {
      const pieceMs = Math.min(remainingMs, TIMER_MAX_MS);
      remainingMs -= pieceMs;
      timer = setTimeout(() => {
        if (remainingMs > 0) return arm();
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, pieceMs);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    arm();
  });
}
