/** What a schedule sent to its database, step by step in the order of the commits: to be replayed against a real one. */
import type { WorkerFacts } from '@muster/domain';
import type { RecordedStep } from './world/recorder.js';
import { runSchedule } from './schedule.js';
import type { Profile } from './settings/settings.js';

export interface Recording {
  readonly seed: number;
  readonly profile: Profile;
  /** Rows that stand in the database before the first step. Every worker is there from the beginning; jobs come as steps. */
  readonly workers: readonly WorkerFacts[];
  /** Committed steps only; what failed because the database was away is not among them. */
  readonly steps: readonly RecordedStep[];
}

/** Same seed and profile, same recording. The schedule must keep its promises: a violation throws. */
export function recordSchedule(seed: number, profile: Profile): Recording {
  const workers: WorkerFacts[] = [];
  const steps: RecordedStep[] = [];
  const result = runSchedule(seed, profile, { recorder: { worker: (row) => workers.push(row), step: (step) => steps.push(step) } });
  if (result.violation !== null) throw new Error(`Seed ${seed}, profile ${profile}: ${result.violation}`);
  return { seed, profile, workers, steps };
}
