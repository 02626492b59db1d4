import { formatDuration, parseDurationMs } from './duration.js';

describe('a duration', () => {
  it.each([
    ['300ms', 300],
    ['4s', 4_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['30d', 2_592_000_000],
    ['60', 60_000],
    ['0.5', 500],
    [' 1.5 S ', 1_500],
    ['0', 0],
  ])('reads %s as %d ms', (text, durationMs) => {
    expect(parseDurationMs(text)).toBe(durationMs);
  });

  it.each(['', 'soon', '-4s', '4 weeks', '1e3', '4s5', 'NaN', 'Infinity', '99999999999999999d'])(
    'refuses %j',
    (text) => {
      expect(parseDurationMs(text)).toBeUndefined();
    },
  );

  it.each([0, 1, 1_500, 4_000, 90_000, 300_000, 86_400_000])('reads back %d ms as it writes it', (durationMs) => {
    expect(parseDurationMs(formatDuration(durationMs))).toBe(durationMs);
  });
});
