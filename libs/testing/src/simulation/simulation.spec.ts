import { describeFailure, runSchedule } from './schedule.js';
import type { Result } from './schedule.js';
import type { Profile } from './settings.js';

/** `SIM_SEED=n` runs that seed alone, with its trace when it fails; `SIM_BASE` moves the range, `SIM_COUNT` widens it. */
const only = process.env['SIM_SEED'];
const ranges = only === undefined ? [baseSeed(undefined), ...(process.env['SIM_BASE'] === undefined ? [] : [baseSeed(process.env['SIM_BASE'])])] : [Number(only)];
const count = only === undefined ? Number(process.env['SIM_COUNT'] ?? 500) : 1;

/** What must have happened at least once over a whole run: a schedule in which nothing goes wrong proves nothing. */
const SOMETIMES: Record<Profile, readonly string[]> = {
  exclusive: [
    'adopted', 'fenced', 'agent crashes', 'agent freezes', 'replica crashes', 'reboots', 'database outages', 'partitions', 'messages lost',
    'agent exit superseded', 'agent exit asked', 'agent stops, jobs kept', 'agent stops with its jobs', 'superseded sender', 'stale end refused', 'end repeated', 'refused noSlot', 'spawn too late',
    'job.requeued', 'job.cancelled', 'job.failed', 'job.completed', 'verdict stop', 'verdict reportEnd', 'verdict unleased',
  ],
  reclaim: [
    'adopted', 'job.reclaimed', 'reclaim told again', 'late end accepted', 'job.waiting', 'stale end refused', 'end repeated', 'job.requeued',
    'job.cancelled', 'verdict stop', 'verdict reclaimed', 'verdict reportEnd', 'refused noSlot', 'agent exit superseded',
  ],
};

/** A number, or a commit hash of which the first digits count. */
function baseSeed(text: string | undefined): number {
  if (text === undefined || text === '') return 1;
  return /^\d+$/.test(text) ? Number(text) : Number.parseInt(text.slice(0, 7), 16);
}

function runAll(profile: Profile): { readonly failures: readonly Result[]; readonly counters: ReadonlyMap<string, number> } {
  const failures: Result[] = [];
  const counters = new Map<string, number>();
  for (const base of ranges) {
    for (let seed = base; seed < base + count; seed++) {
      const result = runSchedule(seed, profile);
      if (result.violation !== null) failures.push(result);
      for (const [name, times] of result.counters) counters.set(name, (counters.get(name) ?? 0) + times);
    }
  }
  return { failures, counters };
}

describe.each(['exclusive', 'reclaim'] as const)('simulated schedules, profile %s', (profile) => {
  let run: ReturnType<typeof runAll>;
  beforeAll(() => {
    run = runAll(profile);
  }, 3_600_000);

  test('no invariant breaks in any of them, and all come to rest after healing', () => {
    const [first] = run.failures;
    const summary = run.failures.map((failure) => `seed ${failure.seed}: ${failure.violation}`).slice(0, 10);
    expect({ count: run.failures.length, summary, trace: first === undefined ? '' : describeFailure(first) }).toEqual({ count: 0, summary: [], trace: '' });
  });

  test('everything that can go wrong has gone wrong somewhere among them', () => {
    const never = count < 500 ? [] : SOMETIMES[profile].filter((name) => !run.counters.has(name));
    expect(never).toEqual([]);
  });

  test('the same seed gives the same schedule, event for event', () => {
    const seed = ranges[0] ?? 1;
    const [first, second] = [runSchedule(seed, profile, { isTraced: true }), runSchedule(seed, profile, { isTraced: true })];
    expect(first.lines).toEqual(second.lines);
  });
});
