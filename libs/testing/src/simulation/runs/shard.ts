/** A part of the run that every `npm test` makes: 10,000 new schedules, split so that Jest's workers share them. */
import { describeFailure } from '../failure.js';
import { runSchedule } from '../schedule.js';
import type { Profile } from '../settings/settings.js';
import { baseSeed } from './environment.js';
import { figuresLine, runRange } from './range.js';
import type { Figures } from './range.js';
import { SOMETIMES } from './sometimes.js';

export const SHARD_COUNT = 4;
/** In all shards together. `SIM_COUNT` moves it. */
const SCHEDULES: Record<Profile, number> = { exclusive: 8_500, reclaim: 1_500 };
/** Fewer than this prove nothing about what happens seldom. */
const SCHEDULES_FOR_SOMETIMES = 900;

export interface ShardRun {
  readonly figures: Figures;
  readonly first: number;
  readonly line: string;
}

/** Runs the shard's part of one profile, and writes a line about it. */
export function runShard(shard: number, profile: Profile): ShardRun {
  const count = Math.ceil(Number(process.env['SIM_COUNT'] ?? SCHEDULES[profile]) / SHARD_COUNT);
  const first = baseSeed() + (shard - 1) * count;
  const figures = runRange(profile, first, count);
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
