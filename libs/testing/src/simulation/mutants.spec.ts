import { MUTANTS } from './mutants.js';
import { runSchedule } from './schedule.js';

/** Schedules a mutant may survive. The rarest needs a few hundred; most fall within ten. */
const BUDGET = 3_000;

describe('the simulator', () => {
  test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('notices when %s', (_name, mutant) => {
    let found: string | null = null;
    let seed = mutant.firstSeed ?? 1;
    const last = seed + BUDGET;
    while (found === null && seed < last) found = runSchedule(seed++, mutant.profile, { reducers: mutant.reducers }).violation;
    if (process.env['SIM_VERBOSE'] !== undefined) console.log(`${mutant.name}: seed ${seed - 1}, ${found}`);
    expect(found).not.toBeNull();
  }, 300_000);
});
