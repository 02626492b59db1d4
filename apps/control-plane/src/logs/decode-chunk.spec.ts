import { randomBytes } from 'node:crypto';
import { MessagePort } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import type { AttemptId, LogChunk } from '@muster/protocol';
import { decodeChunk } from './decode-chunk.js';

/** As newer versions of Node have it. */
const POOL_BYTES = 64 * 1024;
const poolBytes = Buffer.poolSize;

let moved: number[];
beforeEach(() => {
  Buffer.poolSize = POOL_BYTES;
  moved = [];
  const port = jest.spyOn(MessagePort.prototype, 'postMessage');
  port.mockImplementation((_message: unknown, transfers: unknown) => {
    const sizes = Array.isArray(transfers) ? transfers.map((buffer: ArrayBuffer) => buffer.byteLength) : [];
    moved.push(...sizes);
    // What newer versions say, and older ones pass over in silence.
    if (sizes.includes(POOL_BYTES)) throw new DOMException('An ArrayBuffer is detached and could not be cloned.', 'DataCloneError');
  });
});
afterEach(() => {
  Buffer.poolSize = poolBytes;
  jest.restoreAllMocks();
});

function packed(raw: Buffer): LogChunk {
  const attemptId = 'att_01JDABCDEF0123456789ABCDEF' as AttemptId;
  return { attemptId, epoch: 1, stream: 'output', offset: 0, rawLength: raw.length, encoding: 'gzip', readAt: new Date(0).toISOString(), bytes: gzipSync(raw) };
}

describe('unpacking a chunk', () => {
  it.each([1, 60, 16_383, 20_000, 32_766])('of %i bytes never moves the pool of small buffers', async (length) => {
    expect(await decodeChunk(packed(randomBytes(length)))).toEqual({ lineCount: expect.any(Number) });
    expect(moved).toEqual([]);
  });

  it('releases a buffer that is its own', async () => {
    expect(await decodeChunk(packed(Buffer.alloc(60_000, 'x\n')))).toEqual({ lineCount: 30_000 });
    expect(moved).toEqual([60_001]);
  });

  it('releases nothing that somebody waits for', async () => {
    const raw = randomBytes(60_000);
    expect(await decodeChunk(packed(raw), true)).toMatchObject({ raw });
    expect(moved).toEqual([]);
  });
});
