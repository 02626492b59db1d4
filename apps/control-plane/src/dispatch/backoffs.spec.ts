import { pauseAfter } from './backoffs.js';

describe('the wait for the next end of a backoff', () => {
  it('is none after a whole batch, however far off the next one is', () => {
    expect(pauseAfter({ ended: 1_000, due: 1_001, next_ms: 9_000 })).toBe(0);
    expect(pauseAfter({ ended: 1_000, due: 1_000, next_ms: null })).toBe(0);
  });

  it('is short while somebody else holds jobs that are due', () => {
    expect(pauseAfter({ ended: 0, due: 1, next_ms: null })).toBe(50);
    expect(pauseAfter({ ended: 3, due: 7, next_ms: 9_000 })).toBe(50);
    expect(pauseAfter({ ended: 3, due: 7, next_ms: 20 })).toBe(20);
  });

  it('lasts until the next one is due, or for the poll when none is known', () => {
    expect(pauseAfter({ ended: 3, due: 3, next_ms: 9_000 })).toBe(9_000);
    expect(pauseAfter({ ended: 0, due: 0, next_ms: null })).toBe(1_500);
    expect(pauseAfter({ ended: 0, due: 0, next_ms: 0.2 })).toBe(1);
  });
});
