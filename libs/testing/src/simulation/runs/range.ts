/** Many schedules in a row, and the figures they leave. */
import { runSchedule } from '../schedule.js';
import type { Result } from '../schedule.js';
import type { Profile } from '../settings/settings.js';

/** Failed schedules that are kept whole; the others are only counted. */
const KEPT_MAX = 10;

export interface Figures {
  readonly profile: Profile;
  readonly schedules: number;
  readonly failed: number;
  /** The first of them. */
  readonly failures: readonly Pick<Result, 'seed' | 'profile' | 'violation'>[];
  readonly eventsMedian: number;
  readonly seconds: number;
  readonly counters: ReadonlyMap<string, number>;
}

/** Seeds from `first` on. */
export function runRange(profile: Profile, first: number, count: number): Figures {
  const beganMs = performance.now();
  const counters = new Map<string, number>();
  const failures: Result[] = [];
  const events: number[] = [];
  let failed = 0;
  for (let seed = first; seed < first + count; seed++) {
    const result = runSchedule(seed, profile);
    events.push(result.eventCount);
    for (const [name, times] of result.counters) counters.set(name, (counters.get(name) ?? 0) + times);
    if (result.violation === null) continue;
    failed += 1;
    if (failures.length < KEPT_MAX) failures.push(result);
  }
  events.sort((left, right) => left - right);
  const eventsMedian = events[Math.floor(events.length / 2)] ?? 0;
  return { profile, schedules: count, failed, failures, eventsMedian, seconds: (performance.now() - beganMs) / 1_000, counters };
}

/** Several parts of one run as one. */
export function sumFigures(profile: Profile, parts: readonly Figures[]): Figures {
  const counters = new Map<string, number>();
  for (const part of parts) for (const [name, times] of part.counters) counters.set(name, (counters.get(name) ?? 0) + times);
  const medians = parts.map((part) => part.eventsMedian).sort((left, right) => left - right);
  const total = (of: (part: Figures) => number): number => parts.reduce((sum, part) => sum + of(part), 0);
  return {
    profile, counters, schedules: total((part) => part.schedules), failed: total((part) => part.failed), seconds: total((part) => part.seconds),
    failures: parts.flatMap((part) => part.failures), eventsMedian: medians[Math.floor(medians.length / 2)] ?? 0,
  };
}

/** One line for people. */
export function figuresLine(figures: Figures, first: number, names: readonly string[]): string {
  const { profile, schedules, failed, eventsMedian, seconds, counters } = figures;
  const counted = names.map((name) => `${name} ${counters.get(name) ?? 0}`).join(', ');
  const rate = Math.round(schedules / Math.max(0.001, seconds));
  return `simulation ${profile}: ${schedules} schedules from seed ${first}, ${failed} failed, median ${eventsMedian} events, ${rate} schedules/s; ${counted}\n`;
}
