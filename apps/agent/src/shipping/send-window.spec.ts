import { SendWindow } from './send-window.js';

const KIB = 1024;
const options = { limitBytes: 1024 * KIB, leastBytes: 64 * KIB, promptMs: 500, slowMs: 1_500 };
const never = new AbortController().signal;

describe('the send window', () => {
  it('lets nothing more in when it is full, and the first in line when there is room again', async () => {
    const window = new SendWindow(options);
    await window.take(256 * KIB, never);
    const order: string[] = [];
    const first = window.take(64 * KIB, never).then(() => order.push('first'));
    const second = window.take(1, never).then(() => order.push('second'));
    await Promise.resolve();
    expect(order).toEqual([]);
    window.giveBack(256 * KIB);
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
    expect(window.inFlightBytes).toBe(64 * KIB + 1);
  });

  it('widens up to its limit while answers are prompt', () => {
    const window = new SendWindow(options);
    for (let i = 0; i < 100; i += 1) window.learn(64 * KIB, 20, i * 20);
    expect(window.widthBytes).toBe(1024 * KIB);
  });

  it('narrows to one chunk while answers are slow, once per round trip', () => {
    const window = new SendWindow(options);
    for (let i = 0; i < 16; i += 1) window.learn(64 * KIB, 4_000, 4_000 + i);
    expect(window.widthBytes).toBe(128 * KIB);
    for (let i = 1; i < 9; i += 1) window.learn(64 * KIB, 4_000, 4_000 + i * 5_000);
    expect(window.widthBytes).toBe(64 * KIB);
  });

  it('lets something larger than itself go alone', async () => {
    const window = new SendWindow({ ...options, limitBytes: 64 * KIB });
    await window.take(128 * KIB, never);
    expect(window.inFlightBytes).toBe(128 * KIB);
  });

  it('forgets a waiter that gave up', async () => {
    const window = new SendWindow(options);
    await window.take(256 * KIB, never);
    const giving = new AbortController();
    const waiting = window.take(64 * KIB, giving.signal);
    giving.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    window.giveBack(256 * KIB);
    expect(window.inFlightBytes).toBe(0);
  });
});
