import { onLogChunk } from './log-order.js';

describe('log order', () => {
  test('the next bytes are stored', () => {
    expect(onLogChunk(100, { offset: 100, rawLength: 50 })).toEqual({ store: true, storedLength: 150 });
  });

  test.each([0, 99, 101, 150])('bytes at offset %i beside 100 stored ones are not, and the answer says where to go on', (offset) => {
    expect(onLogChunk(100, { offset, rawLength: 50 })).toEqual({ store: false, storedLength: 100 });
  });

  test('sending a chunk twice stores it once', () => {
    const first = onLogChunk(0, { offset: 0, rawLength: 10 });
    expect(onLogChunk(first.storedLength, { offset: 0, rawLength: 10 })).toEqual({ store: false, storedLength: 10 });
  });
});
