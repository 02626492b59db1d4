/** Which samples an answer is made of, and how wide its buckets are. No clock, no database. */
import { SAMPLE_LIMITS, type SampleResolution } from '@muster/protocol';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
/** How long samples are there as they came, and by the minute, if hours are kept for as long. */
const RAW_KEPT_MS = DAY_MS;
const MINUTES_KEPT_MS = 7 * DAY_MS;

/** Buckets of the stored samples; those that came are each their own. */
export const STORED_MS: Readonly<Record<SampleResolution, number>> = { raw: 1, minute: MINUTE_MS, hour: HOUR_MS };

/** How long samples of each resolution are kept. */
export function keptMs(sampleRetentionMs: number): Readonly<Record<SampleResolution, number>> {
  return { raw: Math.min(RAW_KEPT_MS, sampleRetentionMs), minute: Math.min(MINUTES_KEPT_MS, sampleRetentionMs), hour: sampleRetentionMs };
}

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}
export interface Buckets extends Window {
  readonly resolution: SampleResolution;
  /** 1: each sample stands for itself. */
  readonly bucketMs: number;
}

/**
 * At most `points` buckets, two at least, of equal width for the whole window, of the finest samples that are needed for them and that
 * are still there at its beginning. The window begins with a whole bucket.
 */
export function bucketsFor(window: Window, points: number, nowMs: number, sampleRetentionMs: number): Buckets {
  // One bucket less: the one in which the window begins usually begins before it.
  const wantedMs = (window.toMs - window.fromMs) / (points - 1);
  const kept = keptMs(sampleRetentionMs);
  const ageMs = nowMs - window.fromMs;
  const isNeeded = (resolution: 'raw' | 'minute', next: 'minute' | 'hour'): boolean => ageMs <= kept[resolution] && wantedMs < STORED_MS[next];
  const resolution = isNeeded('raw', 'minute') ? 'raw' : isNeeded('minute', 'hour') ? 'minute' : 'hour';
  const unitMs = Math.max(SECOND_MS, STORED_MS[resolution]);
  return startAt({ ...window, resolution, bucketMs: Math.max(1, Math.ceil(wantedMs / unitMs)) * unitMs });
}

/** As they are stored; of minutes and hours no more than one answer holds. */
export function bucketsOf(window: Window, resolution: SampleResolution): Buckets {
  const buckets = startAt({ ...window, resolution, bucketMs: STORED_MS[resolution] });
  if (resolution === 'raw') return buckets;
  return { ...buckets, toMs: Math.min(buckets.toMs, buckets.fromMs + SAMPLE_LIMITS.bucketsMax * buckets.bucketMs) };
}

function startAt(buckets: Buckets): Buckets {
  return { ...buckets, fromMs: Math.floor(buckets.fromMs / buckets.bucketMs) * buckets.bucketMs };
}
