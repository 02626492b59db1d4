import fc from 'fast-check';
import { happening, Race, type Happening, type Saboteur } from './race.js';

/** The moment all races begin. */
const BEGIN = new Date('2026-01-01T00:00:00Z');
const HAPPENINGS_MAX = 16;

/** Real turns of the event loop: a rejection nobody handles is told after one. */
const realImmediate = setImmediate;
const loopTurn = (): Promise<void> => new Promise((resolve) => realImmediate(resolve));

export interface RaceCount {
  readonly counters: Map<string, number>;
  runs: number;
}

/** The property that every order of everything keeps every promise. `count` sums up what happened in it. */
export function races(count: RaceCount, saboteur: Saboteur = {}): fc.IAsyncProperty<[fc.Scheduler, Happening[]]> {
  const first = fc.record({ type: fc.constant('submit' as const), exclusive: fc.boolean() });
  const script = fc
    .tuple(first, fc.array(happening, { maxLength: HAPPENINGS_MAX, size: 'max' }))
    .map(([one, more]) => [one, ...more]);
  return fc.asyncProperty(fc.scheduler(), script, async (scheduler, happenings) => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    jest.useFakeTimers({ now: BEGIN, doNotFake: ['nextTick', 'queueMicrotask', 'performance', 'hrtime'] });
    try {
      const race = new Race(scheduler, saboteur);
      await race.run(happenings);
      await loopTurn();
      for (const [what, times] of race.track.counters)
        count.counters.set(what, (count.counters.get(what) ?? 0) + times);
      count.runs += 1;
      expect([...race.track.violations, ...unhandled.map((reason) => `nobody handles: ${String(reason)}`)]).toEqual([]);
    } finally {
      jest.useRealTimers();
      process.off('unhandledRejection', note);
    }
  });
}

export function raceParameters(numRuns: number): { numRuns: number; unbiased: true; seed?: number; path?: string } {
  const { RACES_SEED: seed, RACES_PATH: path } = process.env;
  return {
    numRuns,
    unbiased: true,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    ...(path === undefined ? {} : { path }),
  };
}
