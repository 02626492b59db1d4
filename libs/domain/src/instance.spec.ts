import { isOlderInstance, newInstanceId } from './instance.js';

describe('instance ids', () => {
  test('an earlier start on the same state directory is older', () => {
    expect(isOlderInstance(newInstanceId(9, 'z'), newInstanceId(10, 'a'))).toBe(true);
    expect(isOlderInstance(newInstanceId(10, 'a'), newInstanceId(9, 'z'))).toBe(false);
  });

  test('of two starts with the same count, which are copies, always the same one gives way', () => {
    expect(isOlderInstance(newInstanceId(3, 'a'), newInstanceId(3, 'b'))).toBe(true);
    expect(isOlderInstance(newInstanceId(3, 'b'), newInstanceId(3, 'a'))).toBe(false);
    expect(isOlderInstance(newInstanceId(3, 'a'), newInstanceId(3, 'a'))).toBe(false);
  });

  test('starts without a count are not older: the later to arrive is the newer', () => {
    expect(isOlderInstance('something', newInstanceId(3, 'b'))).toBe(false);
    expect(isOlderInstance(newInstanceId(3, 'b'), 'something')).toBe(false);
  });
});
