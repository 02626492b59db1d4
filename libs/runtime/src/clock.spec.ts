import { performance } from 'node:perf_hooks';
import { createSystemClock } from './clock.js';

/** What the kernel tells of its uptime is that coarse, at either end. */
const RESOLUTION_MS = 20;

describe('the system clock', () => {
  it('counts monotonic time as fast as the awake machine does', async () => {
    const clock = createSystemClock();
    // Each reading lies between two of the other clock, however long this process was not given a processor in between.
    const reading = (): { earliestMs: number; ofClockMs: number; latestMs: number } => {
      const earliestMs = performance.now();
      return { earliestMs, ofClockMs: clock.monotonicMs(), latestMs: performance.now() };
    };
    const start = reading();
    await clock.sleep(30);
    const end = reading();
    const countedMs = end.ofClockMs - start.ofClockMs;
    expect(countedMs).toBeGreaterThan(end.earliestMs - start.latestMs - RESOLUTION_MS);
    expect(countedMs).toBeLessThan(end.latestMs - start.earliestMs + RESOLUTION_MS);
  });

  it('counts the time for which the machine was suspended', () => {
    let suspendedMs = 0;
    const clock = createSystemClock(() => 5_000 + performance.now() + suspendedMs);
    const startMs = clock.monotonicMs();
    suspendedMs = 3_600_000;
    expect(clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(3_600_000);
  });

  it('never goes back when the uptime is read coarsely or jumps back', () => {
    const uptimes = [10_000, 10_090, 10_080, 9_000, 10_100];
    let reading = 0;
    const clock = createSystemClock(() => uptimes[Math.min(reading++, uptimes.length - 1)]);
    const readings = Array.from({ length: 6 }, () => clock.monotonicMs());
    expect(readings).toEqual([...readings].sort((left, right) => left - right));
  });

  it('works where the platform does not tell its uptime', () => {
    const clock = createSystemClock(() => undefined);
    const startMs = clock.monotonicMs();
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(startMs);
  });

  it('tells the wall time', () => {
    const beforeMs = Date.now();
    const nowMs = createSystemClock().nowMs();
    expect(nowMs).toBeGreaterThanOrEqual(beforeMs);
    expect(nowMs).toBeLessThanOrEqual(Date.now());
  });

  it('ends a sleep with the reason of the signal that aborts it', async () => {
    const controller = new AbortController();
    const sleeping = createSystemClock().sleep(60_000, controller.signal);
    controller.abort(new Error('woken'));
    await expect(sleeping).rejects.toThrow('woken');
  });

  it('does not begin a sleep whose signal has already aborted', async () => {
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(createSystemClock().sleep(60_000, signal)).rejects.toThrow('too late');
  });

  it('does not cut a sleep short that is longer than a timer can hold', async () => {
    const controller = new AbortController();
    let isOver = false;
    const sleeping = createSystemClock()
      .sleep(3_000_000_000, controller.signal)
      .finally(() => (isOver = true));
    await createSystemClock().sleep(20);
    expect(isOver).toBe(false);
    controller.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
  });
});
