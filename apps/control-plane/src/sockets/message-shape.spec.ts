import { InvalidMessage } from './invalid-message.js';
import { checkShape, depthOf } from './message-shape.js';
import { TokenBucket } from '../token-bucket.js';

const LIMITS = { depthMax: 3, entriesMax: 5 };
const accepts = (message: unknown): boolean => {
  try {
    checkShape(message, LIMITS);
    return true;
  } catch (error) {
    if (error instanceof InvalidMessage) return false;
    throw error;
  }
};

describe('the shape of a message', () => {
  it.each([
    [{ a: [{ b: 1 }] }, true],
    [{ a: [{ b: {} }] }, false],
    [[1, 2, 3, 4, 5], true],
    [[1, 2, 3, 4, 5, 6], false],
    ['text', true],
    ['a\0b', false],
    [{ 'a\0b': 1 }, false],
    ['half \ud800 a pair', false],
    ['a whole 😀 pair', true],
    [{ bytes: Buffer.from('raw') }, true],
    [{ constructor: 1 }, true],
    [null, true],
  ])('of %j is allowed: %s', (message, isAllowed) => {
    expect(accepts(message)).toBe(isAllowed);
  });

  it('does not count the bytes of a log chunk', () => {
    expect(accepts({ bytes: Buffer.alloc(100_000) })).toBe(true);
  });

  it('is looked at without recursion, however deep it is', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
    expect(accepts(deep)).toBe(false);
    expect(depthOf(deep)).toBe(200_000);
  });
});

describe('a token bucket', () => {
  it('allows its burst at once, then its rate', () => {
    const bucket = new TokenBucket(10, 3, 0);
    expect([0, 0, 0, 0].map((nowMs) => bucket.take(nowMs))).toEqual([true, true, true, false]);
    expect(bucket.take(99)).toBe(false);
    expect(bucket.take(200)).toBe(true);
  });

  it('never holds more than its burst', () => {
    const bucket = new TokenBucket(10, 2, 0);
    expect([60_000, 60_000, 60_000].map((nowMs) => bucket.take(nowMs))).toEqual([true, true, false]);
  });
});
