import { randomBytes } from 'node:crypto';
import { MessagePort } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { packPiece } from './pack-piece.js';

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

/** Bytes that pack to somewhat more than half: hexadecimal digits. */
const digits = (length: number): Buffer => Buffer.from(randomBytes(length).toString('hex').slice(0, length));

describe('packing a piece', () => {
  it.each([
    ['few bytes', Buffer.alloc(10_000, 'x')],
    ['bytes that pack well', Buffer.alloc(40_000, 'abc\n')],
    ['bytes that pack badly', digits(40_000)],
    ['many bytes', Buffer.alloc(65_000, 'abc\n')],
  ])('of %s never moves the pool of small buffers', async (_what, raw) => {
    const expected = Buffer.from(raw);
    const { encoding, bytes } = await packPiece(raw);
    expect(encoding).toBe('gzip');
    expect(gunzipSync(bytes).equals(expected)).toBe(true);
    expect(moved).not.toContain(POOL_BYTES);
  });
});
