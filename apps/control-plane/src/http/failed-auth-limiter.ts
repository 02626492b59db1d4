import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@muster/runtime';
import { CLOCK } from '../core.module.js';

export const FAILURES_PER_MINUTE_MAX = 10;
const WINDOW_MS = 60_000;
const ADDRESSES_MAX = 10_000;

/**
 * Counts refused keys per address. Over the limit a *refused* key is answered with 429 instead of 401; a valid key from
 * the same address still works, so that one misconfigured machine behind a shared address locks nobody out.
 */
@Injectable()
export class FailedAuthLimiter {
  private readonly windows = new Map<string, { count: number; untilMs: number }>();

  constructor(@Inject(CLOCK) private readonly clock: Clock) {}

  /** Notes one failure. Seconds to wait when there were too many; undefined while they are within the limit. */
  note(address: string | undefined, perMinuteMax = FAILURES_PER_MINUTE_MAX): number | undefined {
    const nowMs = this.clock.monotonicMs();
    const place = networkOf(address ?? '');
    const window = this.windows.get(place);
    if (window === undefined || window.untilMs <= nowMs) {
      this.makeRoom(nowMs);
      this.windows.set(place, { count: 1, untilMs: nowMs + WINDOW_MS });
      return undefined;
    }
    window.count += 1;
    return window.count > perMinuteMax ? Math.ceil((window.untilMs - nowMs) / 1_000) : undefined;
  }

  /** Bounded: whoever comes from very many addresses only empties the table. */
  private makeRoom(nowMs: number): void {
    if (this.windows.size < ADDRESSES_MAX) return;
    for (const [place, window] of this.windows) if (window.untilMs <= nowMs) this.windows.delete(place);
    if (this.windows.size >= ADDRESSES_MAX) this.windows.clear();
  }
}

/** One customer of an IPv6 provider holds a whole /64. */
export function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  return address.split(':').slice(0, 4).join(':');
}
