import { setImmediate as turn } from 'node:timers/promises';
import { MessagePort } from 'node:worker_threads';
import { releaseAllocation, releaseBytes } from './release-bytes.js';

afterEach(() => jest.restoreAllMocks());

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

  it('stay where they are when their memory may not be moved, which nobody is told', () => {
    jest.spyOn(MessagePort.prototype, 'postMessage').mockImplementation(() => {
      throw new DOMException('Cannot transfer object of unsupported type.', 'DataCloneError');
    });
    const bytes = Buffer.alloc(100_000, 'x');
    expect(() => releaseBytes(bytes)).not.toThrow();
    expect(bytes).toHaveLength(100_000);
  });
});

describe('an allocation that is released', () => {
  it('is empty, whatever part of it was in use', () => {
    const part = Buffer.alloc(100_000, 'x').subarray(0, 60);
    releaseAllocation(part, 100_000);
    expect(part.buffer.byteLength).toBe(0);
  });

  it('is that of the part when this was copied into one of its own', () => {
    const copy = Buffer.alloc(50_000, 'x');
    releaseAllocation(copy, 100_000);
    expect(copy).toHaveLength(0);
  });

  it('is left alone where the part lies in memory of another size, or not at its start', () => {
    const first = Buffer.alloc(65_536, 'x').subarray(0, 20_000);
    const second = Buffer.alloc(65_536, 'x').subarray(20_000, 40_000);
    const last = Buffer.alloc(20_000, 'x').subarray(1);
    for (const part of [first, second, last]) releaseAllocation(part, 20_000);
    expect([first, second, last].map(({ length }) => length)).toEqual([20_000, 20_000, 19_999]);
  });
});
