import { execFileSync } from 'node:child_process';
import { FEWEST_OF_A_KIND, FAULT_KINDS, planFaults } from '../chaos/plan.js';
import { runChaos, type ChaosResult } from '../chaos/run.js';
import { JOB_FIXTURES } from '../chaos/jobs/catalogue.js';
import { ROOT } from '../src/root.js';

const FAULTS = 200;
jest.setTimeout(1_200_000);

/** Another one with every commit, the same for the same commit; `CHAOS_SEED` repeats a run. */
function chosenSeed(): number {
  const told = process.env.CHAOS_SEED;
  if (told !== undefined) return Number(told);
  try {
    return Number.parseInt(execFileSync('git', ['rev-parse', '--short=8', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }), 16);
  } catch {
    return 1;
  }
}

describe(`chaos on real processes, seed ${chosenSeed()}`, () => {
  let result: ChaosResult;
  beforeAll(async () => {
    const lines: string[] = [];
    result = await runChaos({ seed: chosenSeed(), faults: FAULTS, say: (line) => lines.push(line) }).catch((error: unknown) => {
      throw new Error(lines.join('\n'), { cause: error });
    });
  });

  it('loses no job, ends none twice, gets every exit code, log and result right, and leaves nothing behind', () => {
    expect(result.report).toBe('');
    expect(result.jobs.length).toBeGreaterThan(50);
  });

  it('lets every kind of fault fall often enough while jobs run', () => {
    if (process.env.MUSTER_TEST_REQUIRE === 'all') expect(result.impossible).toEqual({});
    const fell = Object.values(result.counts);
    expect(fell.reduce((sum, count) => sum + count, 0)).toBe(FAULTS);
    for (const count of fell) expect(count).toBeGreaterThanOrEqual(FEWEST_OF_A_KIND);
  });

  it('runs jobs of every fixture meanwhile', () => {
    expect([...new Set(result.jobs.map(({ fixture }) => fixture))].sort()).toEqual([...JOB_FIXTURES].sort());
  });
});

describe('a plan of faults', () => {
  const options = { seed: 7, faults: 200, kinds: FAULT_KINDS, lengthFactor: 1 };

  it('is the same for the same seed and another for another', () => {
    expect(planFaults(options)).toEqual(planFaults(options));
    expect(planFaults({ ...options, seed: 8 })).not.toEqual(planFaults(options));
  });

  it('holds at least fifteen faults of every kind, some longer than the shortest lease', () => {
    const plan = planFaults(options);
    for (const kind of FAULT_KINDS) expect(plan.filter((fault) => fault.kind === kind).length).toBeGreaterThanOrEqual(FEWEST_OF_A_KIND);
    expect(plan.filter(({ lengthMs }) => lengthMs > 4_000).length).toBeGreaterThan(15);
  });
});
