import fc from 'fast-check';
import { races } from './check-races.js';
import { MUTANTS } from './mutants.js';
import { settledMarks } from './settled-marks.js';

jest.mock('../../src/connection/settled-mark.js', () => ({
  markSettled: () => settledMarks.write(),
  isMarkedSettled: () => Promise.resolve(false),
}));
jest.setTimeout(900_000);

/** Races within which every mutant must be noticed; the same ones each time. */
const RUNS = 400;
const SEED = 20_260_101;

describe('the races notice a shell that', () => {
  it.each(Object.entries(MUTANTS))('%s', async (_name, mutant) => {
    const { failed, numRuns } = await fc.check(races({ counters: new Map(), runs: 0 }, mutant), {
      numRuns: RUNS,
      seed: SEED,
      unbiased: true,
      endOnFailure: true,
    });
    expect({ failed, numRuns }).toEqual({ failed: true, numRuns: expect.any(Number) });
  });
});
