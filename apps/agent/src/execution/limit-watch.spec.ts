import { limitHit } from './limit-watch.js';

const quiet = { ranMs: 0, silentMs: 0, memoryBytes: null };
const MEBIBYTE = 1024 * 1024;

describe('a limit', () => {
  it('that was not asked for is never hit', () => {
    expect(limitHit({}, { ranMs: 1e12, silentMs: 1e12, memoryBytes: 1e15 })).toBeNull();
  });

  it('of wall time or silence is hit at its moment and not before', () => {
    expect(limitHit({ runSeconds: 2 }, { ...quiet, ranMs: 1_999 })).toBeNull();
    expect(limitHit({ runSeconds: 2 }, { ...quiet, ranMs: 2_000 })).toMatchObject({
      cause: 'runLimit',
      isUrgent: false,
    });
    expect(limitHit({ silenceSeconds: 3 }, { ...quiet, silentMs: 2_999 })).toBeNull();
    expect(limitHit({ silenceSeconds: 3 }, { ...quiet, silentMs: 3_000 })).toMatchObject({ cause: 'silenceLimit' });
  });

  it('of memory is urgent, comes first and names both figures', () => {
    const hit = limitHit(
      { memoryMb: 100, runSeconds: 1 },
      { ranMs: 5_000, silentMs: 0, memoryBytes: 100.5 * MEBIBYTE },
    );
    expect(hit).toEqual({
      cause: 'memoryLimit',
      isUrgent: true,
      detail: 'It used 101 MiB of memory; its limit is 100 MiB (sampled).',
    });
    expect(limitHit({ memoryMb: 100 }, { ...quiet, memoryBytes: 100 * MEBIBYTE })).toBeNull();
  });
});
