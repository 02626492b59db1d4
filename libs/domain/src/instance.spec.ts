import { isOlderInstance, newInstanceId, nextInstanceId } from './instance.js';

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

  test('a start that nobody counted is later than the newest, whoever that was', () => {
    expect(isOlderInstance(newInstanceId(9, 'z'), nextInstanceId(newInstanceId(9, 'z'), 'a'))).toBe(true);
    expect(nextInstanceId(null, 'a')).toBe(newInstanceId(1, 'a'));
    expect(nextInstanceId('something', 'a')).toBe(newInstanceId(1, 'a'));
  });

  test('starts without a count are not older: the later to arrive is the newer', () => {
    expect(isOlderInstance('something', newInstanceId(3, 'b'))).toBe(false);
    expect(isOlderInstance(newInstanceId(3, 'b'), 'something')).toBe(false);
  });
});
