/** A part of the run that every `npm test` makes: 10,000 new schedules, split so that Jest's workers share them. */
import { describeFailure } from '../failure.js';
import { runSchedule } from '../schedule.js';
import { PROFILES } from '../settings/settings.js';
import type { Profile } from '../settings/settings.js';
import { baseSeed } from './environment.js';
import { figuresLine } from './range.js';
import type { Figures, runRange } from './range.js';
import { SOMETIMES } from './sometimes.js';

/**
 * How many each shard runs. Those of `reclaim` stay together: what is rare among them shows in that many, and in a quarter of
 * them would now and then be missing. A schedule of it takes about twice the time. `SIM_SHARE` runs that share of them.
 */
const SCHEDULES: Record<Profile, readonly number[]> = {
  exclusive: [2_730, 2_730, 2_730, 310],
  reclaim: [0, 0, 0, 1_500],
};
/** Fewer than this prove nothing about what happens seldom. */
const SCHEDULES_FOR_SOMETIMES = 900;

export interface ShardRun {
  readonly figures: Figures;
  readonly first: number;
  readonly line: string;
}

/** What this shard runs anything of. */
export function profilesOf(shard: number): Profile[] {
  return PROFILES.filter((profile) => (SCHEDULES[profile][shard - 1] ?? 0) > 0);
}

/**
 * Runs the shard's part of one profile, and writes a line about it.
 *
 * @param run runs so many schedules in a row
 */
export function runShard(shard: number, profile: Profile, run: typeof runRange): ShardRun {
  const counts = SCHEDULES[profile];
  const count = Math.ceil((counts[shard - 1] ?? 0) * Number(process.env['SIM_SHARE'] ?? 1));
  const first = baseSeed() + counts.slice(0, shard - 1).reduce((sum, earlier) => sum + earlier, 0);
  const figures = run(profile, first, count);
  const line = figuresLine(figures, first, SOMETIMES[profile]);
  process.stdout.write(line);
  return { figures, first, line };
}

/** What a failed shard shows: every seed that failed, and the first of them in full. */
export function complaints({ figures }: ShardRun): readonly string[] {
  const [failure] = figures.failures;
  if (failure === undefined) return [];
  const result = runSchedule(failure.seed, failure.profile);
  return [...figures.failures.map(({ seed, violation }) => `seed ${seed}: ${violation}`), describeFailure(result)];
}

/** What never happened in the whole shard and should have. */
export function never({ figures }: ShardRun): readonly string[] {
  if (figures.schedules < SCHEDULES_FOR_SOMETIMES) return [];
  return SOMETIMES[figures.profile].filter((name) => !figures.counters.has(name));
}
