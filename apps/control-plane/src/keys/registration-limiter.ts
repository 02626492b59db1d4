import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@muster/runtime';
import { CLOCK } from '../core.module.js';
import { networkOf } from '../http/failed-auth-limiter.js';
import { TokenBucket } from '../token-bucket.js';

/** A fleet that comes for the first time, all at once, is no flood; who goes on making workers is. */
export const REGISTRATIONS_BURST = 2_500;
export const REGISTRATIONS_PER_SECOND = 25;
const PLACES_MAX = 10_000;

/**
 * Slows down whoever makes ever more workers or keys: by key (or token) and by address. A machine that is known already
 * is never counted, so a fleet that reconnects is not held up by it.
 */
@Injectable()
export class RegistrationLimiter {
  private readonly buckets = new Map<string, TokenBucket>();

  constructor(@Inject(CLOCK) private readonly clock: Clock) {}

  /** Notes one registration. Seconds to wait when there were too many, and then it shall not be done. */
  take(credentialId: string, address: string | undefined): number | undefined {
    const nowMs = this.clock.monotonicMs();
    const isFree = [`id ${credentialId}`, `at ${networkOf(address ?? '')}`].map((place) => this.bucketOf(place, nowMs).take(nowMs));
    return isFree.every(Boolean) ? undefined : 1;
  }

  /** Bounded: whoever comes from very many addresses only fills the table anew. */
  private bucketOf(place: string, nowMs: number): TokenBucket {
    const known = this.buckets.get(place);
    if (known) return known;
    if (this.buckets.size >= PLACES_MAX) this.buckets.clear();
    const bucket = new TokenBucket(REGISTRATIONS_PER_SECOND, REGISTRATIONS_BURST, nowMs);
    this.buckets.set(place, bucket);
    return bucket;
  }
}
