import { setImmediate as turn } from 'node:timers/promises';
import { releaseBytes } from './release-bytes.js';

describe('bytes that are released', () => {
  it('are empty, and their memory is free at once', async () => {
    await turn();
    const before = process.memoryUsage().arrayBuffers;
    const large = Array.from({ length: 50 }, () => Buffer.alloc(1_048_576, 'x'));
    expect(process.memoryUsage().arrayBuffers - before).toBeGreaterThan(49 * 1_048_576);
    for (const bytes of large) releaseBytes(bytes);
    expect(large.every(({ length }) => length === 0)).toBe(true);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5 * 1_048_576);
  });

  it('may have been released before', () => {
    const bytes = Buffer.alloc(100_000);
    releaseBytes(bytes);
    expect(() => releaseBytes(bytes)).not.toThrow();
  });

  it('are left alone where they are small, or a part of something larger', () => {
    const small = Buffer.from('a few words');
    const part = Buffer.alloc(100_001, 'x').subarray(0, 100_000);
    releaseBytes(small);
    releaseBytes(part);
    expect(small.toString()).toBe('a few words');
    expect(part).toHaveLength(100_000);
  });
});
