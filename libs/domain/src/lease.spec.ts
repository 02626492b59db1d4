import { laterMs } from './server/lease.js';

describe('a moment that only goes forward', () => {
  test.each([
    ['is the new one where there was none', null, 1_000_000, 1_000_000],
    ['is the new one after an earlier one', 900_000, 1_000_000, 1_000_000],
    ['stays, where who decides has waited for a lock', 1_015_000, 1_000_000, 1_015_000],
    ['goes back with a clock that was set back', 4_600_000, 1_000_000, 1_000_000],
  ])('%s', (_title, beforeMs, nowMs, expected) => {
    expect(laterMs(beforeMs, nowMs)).toBe(expected);
  });
});
