import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { inflateChunk } from './inflate-chunk.js';

describe('a packed chunk', () => {
  it.each([1, 63, 64, 16_384, 65_535, 65_536])('of %i bytes comes out as it went in', async (length) => {
    const raw = randomBytes(length);
    expect((await inflateChunk(gzipSync(raw), length, length)).equals(raw)).toBe(true);
  });

  it('comes out whole also when it is longer than was said, up to the bound', async () => {
    const raw = randomBytes(40_000);
    expect((await inflateChunk(gzipSync(raw), 10, 40_000)).equals(raw)).toBe(true);
  });

  it('is refused when it is longer than the bound, before it is unpacked whole', async () => {
    await expect(inflateChunk(gzipSync(Buffer.alloc(10_000_000)), 100, 101)).rejects.toMatchObject({ code: 'ERR_BUFFER_TOO_LARGE' });
  });
});
