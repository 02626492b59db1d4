import { describeFailure, runSchedule } from './schedule.js';
import type { Result } from './schedule.js';
import type { Profile } from './settings.js';

/** `SIM_SEED=n` runs that seed alone, with its trace when it fails; `SIM_BASE` moves the range, `SIM_COUNT` widens it. */
const only = process.env['SIM_SEED'];
const base = only === undefined ? baseSeed(process.env['SIM_BASE']) : Number(only);
const count = only === undefined ? Number(process.env['SIM_COUNT'] ?? 500) : 1;

/** A number, or a commit hash of which the first digits count. */
function baseSeed(text: string | undefined): number {
  if (text === undefined || text === '') return 1;
  return /^\d+$/.test(text) ? Number(text) : Number.parseInt(text.slice(0, 7), 16);
}

function runAll(profile: Profile): { readonly failures: Result[]; readonly counters: Map<string, number> } {
  const failures: Result[] = [];
  const counters = new Map<string, number>();
  for (let seed = base; seed < base + count; seed++) {
    const result = runSchedule(seed, profile);
    if (result.violation !== null) failures.push(result);
    for (const [name, times] of result.counters) counters.set(name, (counters.get(name) ?? 0) + times);
  }
  return { failures, counters };
}

describe.each(['exclusive', 'reclaim'] as const)('simulated schedules, profile %s', (profile) => {
  const { failures, counters } = runAll(profile);

  test('no invariant breaks under any of them, and all come to rest after healing', () => {
    const [first] = failures;
    const summary = failures.map((failure) => `seed ${failure.seed}: ${failure.violation}`).slice(0, 10);
    expect({ count: failures.length, summary, first: first === undefined ? '' : describeFailure(first) }).toEqual({ count: 0, summary: [], first: '' });
  });

  if (process.env['SIM_VERBOSE'] !== undefined) console.log(profile, [...counters].sort());
});
