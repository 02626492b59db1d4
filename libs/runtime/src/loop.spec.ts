import type { Clock } from './clock.js';
import { Loop, type LoopOptions } from './loop.js';

/** A clock whose sleeps end only when the test says so. */
function stillClock() {
  const sleeps: { durationMs: number; end: () => void }[] = [];
  const clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    sleep: (durationMs, signal) =>
      new Promise((resolve, reject) => {
        sleeps.push({ durationMs, end: resolve });
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
  };
  return { clock, sleeps };
}

/** Lets everything that is ready to run, run. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

function setup(overrides: Partial<LoopOptions> = {}) {
  const { clock, sleeps } = stillClock();
  const errors: { error: unknown; failures: number }[] = [];
  const gates: (() => void)[] = [];
  let running = 0;
  let runningMost = 0;
  let ticks = 0;
  const loop = new Loop({
    name: 'test',
    intervalMs: 1_000,
    jitter: 0,
    clock,
    run: async () => {
      running += 1;
      runningMost = Math.max(runningMost, running);
      ticks += 1;
      await new Promise<void>((resolve) => gates.push(resolve));
      running -= 1;
    },
    onError: (error, failures) => errors.push({ error, failures }),
    ...overrides,
  });
  const finishTick = async () => {
    gates.shift()?.();
    await settle();
  };
  return { loop, sleeps, errors, finishTick, ticks: () => ticks, runningMost: () => runningMost };
}

describe('a loop', () => {
  it('ticks at once when started and again after its interval', async () => {
    const { loop, sleeps, finishTick, ticks } = setup();
    loop.start();
    expect(ticks()).toBe(1);
    await finishTick();
    expect(sleeps[0]?.durationMs).toBe(1_000);
    sleeps[0]?.end();
    await settle();
    expect(ticks()).toBe(2);
    await finishTick();
    await loop.stop();
  });

  it('spreads its interval by the jitter and asks for the interval each time', async () => {
    let intervalMs = 100;
    const run = () => Promise.resolve();
    const { loop, sleeps } = setup({ intervalMs: () => intervalMs, jitter: 0.5, random: () => 1, run });
    loop.start();
    await settle();
    intervalMs = 200;
    sleeps[0]?.end();
    await settle();
    expect(sleeps.map((sleep) => sleep.durationMs)).toEqual([150, 300]);
    await loop.stop();
  });

  it('waits for the running tick when stopped, and starts no other', async () => {
    const { loop, finishTick, ticks } = setup();
    loop.start();
    let isStopped = false;
    const stopping = loop.stop().then(() => (isStopped = true));
    await settle();
    expect(isStopped).toBe(false);
    await finishTick();
    await stopping;
    expect(ticks()).toBe(1);
  });

  it('may be started twice and stopped many times', async () => {
    const { loop, finishTick, ticks } = setup();
    loop.start();
    loop.start();
    await finishTick();
    await Promise.all([loop.stop(), loop.stop()]);
    await loop.stop();
    expect(ticks()).toBe(1);
    expect(loop.isStarted).toBe(false);
  });

  it('can be started again after a stop', async () => {
    const { loop, finishTick, ticks } = setup();
    loop.start();
    await finishTick();
    await loop.stop();
    loop.start();
    await finishTick();
    await loop.stop();
    expect(ticks()).toBe(2);
  });

  it('tells the running tick that it is being stopped', async () => {
    let seen: AbortSignal | undefined;
    const run = (signal: AbortSignal) => {
      seen = signal;
      return new Promise((resolve) => signal.addEventListener('abort', resolve));
    };
    const { loop } = setup({ run });
    loop.start();
    await loop.stop();
    expect(seen?.aborted).toBe(true);
  });

  it('ends its wait when woken', async () => {
    const { loop, finishTick, ticks } = setup();
    loop.start();
    await finishTick();
    loop.wake();
    await settle();
    expect(ticks()).toBe(2);
    await finishTick();
    await loop.stop();
  });

  it('makes one more tick for any number of wakes during a tick', async () => {
    const { loop, finishTick, ticks } = setup();
    loop.start();
    loop.wake();
    loop.wake();
    loop.wake();
    await finishTick();
    expect(ticks()).toBe(2);
    await finishTick();
    expect(ticks()).toBe(2);
    await loop.stop();
  });

  it('never overlaps its ticks, whoever asks for them', async () => {
    const { loop, finishTick, runningMost, ticks } = setup();
    loop.start();
    const asked = [loop.tick(), loop.tick(), loop.tick()];
    for (let round = 0; round < 5; round += 1) {
      loop.wake();
      await finishTick();
    }
    await Promise.all(asked);
    const stopping = loop.stop();
    await finishTick();
    await stopping;
    expect(runningMost()).toBe(1);
    expect(ticks()).toBeGreaterThan(2);
  });

  it('runs a whole tick that begins after the call, without being started', async () => {
    const { loop, finishTick, ticks } = setup();
    const first = loop.tick();
    const second = loop.tick();
    await finishTick();
    await first;
    expect(ticks()).toBe(2);
    await finishTick();
    await second;
  });

  it('goes on after a tick that throws, and counts the failures in a row', async () => {
    let count = 0;
    const run = () => {
      count += 1;
      return count === 3 ? Promise.resolve() : Promise.reject(new Error(`bad ${count}`));
    };
    const { loop, errors } = setup({ run });
    for (let round = 0; round < 4; round += 1) await loop.tick();
    expect(errors.map(({ error, failures }) => [String(error), failures])).toEqual([
      ['Error: bad 1', 1],
      ['Error: bad 2', 2],
      ['Error: bad 4', 1],
    ]);
  });
});
