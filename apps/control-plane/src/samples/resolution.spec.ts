import { SAMPLE_LIMITS } from '@muster/protocol';
import { bucketsFor, bucketsOf, DAY_MS, keptMs } from './resolution.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.parse('2026-11-22T10:20:30Z');
const KEPT = 90 * DAY_MS;
const before = (spanMs: number, endMs = NOW): { fromMs: number; toMs: number } => ({ fromMs: endMs - spanMs, toMs: endMs });

describe('the buckets of a window', () => {
  test.each([
    ['an hour', before(HOUR), 200, 'raw', 19_000],
    ['three hours, few points', before(3 * HOUR), 10, 'minute', 20 * MINUTE],
    ['a day', before(DAY_MS), 200, 'minute', 8 * MINUTE],
    ['a week', before(7 * DAY_MS), 100, 'hour', 2 * HOUR],
    ['the whole retention', before(KEPT), 200, 'hour', 11 * HOUR],
    ['an hour of the day before yesterday', before(HOUR, NOW - 2 * DAY_MS), 200, 'minute', MINUTE],
    ['an hour of last month', before(HOUR, NOW - 30 * DAY_MS), 200, 'hour', HOUR],
    ['a moment', before(1), 1_000, 'raw', 1_000],
  ] as const)('are no finer than its samples and the points that are asked for: %s', (_, window, points, resolution, bucketMs) => {
    expect(bucketsFor(window, points, NOW, KEPT)).toMatchObject({ resolution, bucketMs });
  });

  it('are never more than were asked for, wherever the window begins', () => {
    for (let points = 2; points < 60; points++) {
      for (const spanMs of [1, 999, 59_999, 61_000, HOUR - 1, 5 * HOUR + 7, 3 * DAY_MS + 12_345]) {
        for (const shiftMs of [0, 1, 30_001, 3_599_999]) {
          const window = before(spanMs, NOW - shiftMs);
          const { fromMs, toMs, bucketMs } = bucketsFor(window, points, NOW, KEPT);
          expect(fromMs).toBeLessThanOrEqual(window.fromMs);
          expect(fromMs % bucketMs).toBe(0);
          expect(Math.ceil((toMs - fromMs) / bucketMs)).toBeLessThanOrEqual(points);
        }
      }
    }
  });

  it('of a resolution are as it is stored, and no more than one answer holds', () => {
    const buckets = bucketsOf(before(7 * DAY_MS), 'minute');
    expect(buckets.bucketMs).toBe(MINUTE);
    expect((buckets.toMs - buckets.fromMs) / MINUTE).toBe(SAMPLE_LIMITS.bucketsMax);
    expect(bucketsOf(before(HOUR), 'raw')).toEqual({ ...before(HOUR), resolution: 'raw', bucketMs: 1 });
  });
});

describe('what is kept of samples', () => {
  it('is finer for a shorter time, and nothing for longer than the setting', () => {
    expect(keptMs(KEPT)).toEqual({ raw: DAY_MS, minute: 7 * DAY_MS, hour: KEPT });
    expect(keptMs(2 * DAY_MS)).toEqual({ raw: DAY_MS, minute: 2 * DAY_MS, hour: 2 * DAY_MS });
  });
});
