import { LIMITS, TIMES, beatIntervalMs, leaseMs } from './limits.js';

describe('times', () => {
  test('a worker is silent for at least three missed beats before it is unreachable', () => {
    for (const agents of [1, 100, 5_000, 100_000]) {
      for (const timeoutMs of [TIMES.workerTimeoutMsMin, 10_000, TIMES.workerTimeoutMs]) {
        expect(beatIntervalMs(timeoutMs, agents) * 3).toBeLessThanOrEqual(timeoutMs);
      }
    }
  });

  test('the interval grows with the fleet once 500 beats a second are reached', () => {
    expect(beatIntervalMs(60_000, 1)).toBe(10_000);
    expect(beatIntervalMs(60_000, 5_000)).toBe(10_000);
    expect(beatIntervalMs(60_000, 8_000)).toBe(16_000);
  });

  test('a lease outlives the worker timeout, whatever the job asks', () => {
    expect(leaseMs(60_000, 0)).toBeGreaterThanOrEqual(60_000);
    expect(leaseMs(60_000, TIMES.lostAfterSecondsDefault)).toBe(360_000);
  });

  test('the agent gives up on an offer before the server withdraws it', () => {
    expect(TIMES.offerTtlMs * TIMES.agentShare).toBeLessThan(TIMES.offerTtlMs);
  });
});

describe('limits', () => {
  test('a chunk, a result and 16 chunks in flight fit their messages', () => {
    expect(LIMITS.logChunkBytesMax).toBeLessThan(LIMITS.socketMessageBytesMax);
    expect(LIMITS.resultSocketBytesMax).toBeLessThan(LIMITS.socketMessageBytesMax);
  });

  test('the longest command line fits a submitted job', () => {
    expect(LIMITS.commandLineBytesMax).toBeLessThan(LIMITS.jobSubmitBytesMax);
  });
});
