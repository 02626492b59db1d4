import { isId, toId } from './ids.js';

const ZEROS = new Uint8Array(10);
const ONES = new Uint8Array(10).fill(255);

describe('ids', () => {
  test('an id made now is recognised as its own kind and as no other', () => {
    const id = toId('job', 1_795_000_000_000, ONES);
    expect(isId('job', id)).toBe(true);
    expect(isId('att', id)).toBe(false);
  });

  test('ids sort by the time they were made, whatever their random part', () => {
    const earlier = toId('evt', 1_795_000_000_000, ONES);
    const later = toId('evt', 1_795_000_000_001, ZEROS);
    expect(earlier < later).toBe(true);
  });

  test('the whole range of times and random bytes gives 26 characters', () => {
    for (const nowMs of [0, 1, 2 ** 48 - 1]) {
      for (const random of [ZEROS, ONES]) expect(toId('key', nowMs, random)).toMatch(/^key_[0-9A-HJKMNP-TV-Z]{26}$/);
    }
  });

  test('every bit of the random part reaches the id', () => {
    const seen = new Set<string>();
    for (let bit = 0; bit < 80; bit++) {
      const random = new Uint8Array(10);
      random[bit >> 3] = 1 << (bit & 7);
      seen.add(toId('job', 0, random));
    }
    expect(seen.size).toBe(80);
  });

  test.each(['job_', 'job_01', `job_${'0'.repeat(25)}I`, `job_${'0'.repeat(27)}`, `job_${'0'.repeat(25)}\n`, 7, null, undefined])(
    '%p is not an id',
    (text) => expect(isId('job', text)).toBe(false),
  );
});
