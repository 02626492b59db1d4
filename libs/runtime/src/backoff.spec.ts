import { Backoff, backoffDelayMs } from './backoff.js';

const options = { baseMs: 100, maxMs: 1_000 };

describe('the wait between tries', () => {
  it.each([
    [1, 100],
    [2, 200],
    [4, 800],
    [5, 1_000],
    [5_000, 1_000],
  ])('after failure %d is spread evenly up to %d ms', (failures, boundMs) => {
    expect(backoffDelayMs(failures, options, () => 0)).toBe(0);
    expect(backoffDelayMs(failures, options, () => 0.5)).toBe(boundMs / 2);
    expect(backoffDelayMs(failures, options, () => 1)).toBe(boundMs);
  });

  it('keeps a lower bound', () => {
    expect(backoffDelayMs(3, { ...options, minMs: 50 }, () => 0)).toBe(50);
  });

  it('grows with each failure and starts small again after a success', () => {
    const backoff = new Backoff(options, () => 1);
    expect([backoff.nextDelayMs(), backoff.nextDelayMs(), backoff.nextDelayMs()]).toEqual([100, 200, 400]);
    expect(backoff.failures).toBe(3);
    backoff.reset();
    expect(backoff.nextDelayMs()).toBe(100);
  });
});
