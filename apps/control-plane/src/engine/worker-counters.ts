import type { AttemptFacts } from '@muster/domain';
import type { Outcome, WorkerId } from '@muster/protocol';

/** An attempt as it was loaded and as it is stored. */
export interface AttemptChange {
  readonly before: AttemptFacts | undefined;
  readonly after: AttemptFacts;
}

export interface Counts {
  readonly id: WorkerId;
  completed: number;
  failed: number;
  /** Of the completed ones: the mean is theirs. */
  run_seconds: number;
}

/**
 * What a worker tried and could not bring to a good end. Everything else says nothing of the worker: people's wishes,
 * offers it declined, attempts that were taken from it or that nobody can tell the end of.
 */
const FAILURES: ReadonlySet<Outcome> = new Set(['failed', 'timedOut', 'outOfMemory', 'spawnFailed', 'inputFailed', 'unkillable']);

/** One entry a worker, for those with anything to count. An attempt that was taken for lost counts once its end is known. */
export function countEnds(changes: readonly AttemptChange[]): readonly Counts[] {
  const counts = new Map<WorkerId, Counts>();
  for (const { before, after } of changes) {
    const { workerId, outcome, startedMs, endedMs } = after;
    if (outcome === null || outcome === before?.outcome) continue;
    const isCompleted = outcome === 'succeeded';
    if (!isCompleted && !FAILURES.has(outcome)) continue;
    const count = counts.get(workerId) ?? { id: workerId, completed: 0, failed: 0, run_seconds: 0 };
    if (!isCompleted) count.failed += 1;
    else {
      count.completed += 1;
      count.run_seconds += startedMs === null || endedMs === null ? 0 : (endedMs - startedMs) / 1_000;
    }
    counts.set(workerId, count);
  }
  return [...counts.values()];
}
