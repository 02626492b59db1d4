import { BoundedQueue } from './bounded-queue.js';

describe('a bounded queue', () => {
  it('gives items back in the order they came', () => {
    const queue = new BoundedQueue<number>({ limit: 10_000, policy: 'refuse' });
    for (let item = 0; item < 5_000; item += 1) queue.push(item);
    const first = queue.shiftMany(3_000);
    const rest = queue.shiftMany(9_999);
    expect([...first, ...rest]).toEqual(Array.from({ length: 5_000 }, (_, item) => item));
    expect(queue.shift()).toBeUndefined();
  });

  it('refuses what does not fit when its policy is to refuse', () => {
    const queue = new BoundedQueue<string>({ limit: 2, policy: 'refuse' });
    expect(queue.push('a').accepted).toBe(true);
    expect(queue.push('b').accepted).toBe(true);
    expect(queue.push('c')).toEqual({ accepted: false, dropped: [] });
    expect(queue.shiftMany(9)).toEqual(['a', 'b']);
  });

  it('drops the oldest and returns them when its policy is to make room', () => {
    const queue = new BoundedQueue<string>({ limit: 5, policy: 'dropOldest', weigh: (item) => item.length });
    queue.push('aa');
    queue.push('bb');
    expect(queue.push('cccc')).toEqual({ accepted: true, dropped: ['aa', 'bb'] });
    expect(queue.weight).toBe(4);
    expect(queue.size).toBe(1);
  });

  it('refuses an item heavier than its whole limit without dropping anything', () => {
    const queue = new BoundedQueue<string>({ limit: 3, policy: 'dropOldest', weigh: (item) => item.length });
    queue.push('abc');
    expect(queue.push('abcd')).toEqual({ accepted: false, dropped: [] });
    expect(queue.shift()).toBe('abc');
  });

  it('counts the weight it holds', () => {
    const queue = new BoundedQueue<string>({ limit: 100, policy: 'refuse', weigh: (item) => item.length });
    queue.push('four');
    queue.push('sixsix');
    queue.shift();
    expect(queue.weight).toBe(6);
  });

  it('lets a reader wait for the next item', async () => {
    const queue = new BoundedQueue<string>({ limit: 1, policy: 'refuse' });
    const waiting = queue.available().then(() => queue.shift());
    queue.push('here');
    await expect(waiting).resolves.toBe('here');
  });

  it('ends the wait of a reader whose signal aborts', async () => {
    const queue = new BoundedQueue<string>({ limit: 1, policy: 'refuse' });
    const controller = new AbortController();
    const waiting = queue.available(controller.signal);
    controller.abort(new Error('closing'));
    await expect(waiting).rejects.toThrow('closing');
    await expect(queue.available(controller.signal)).rejects.toThrow('closing');
  });
});
