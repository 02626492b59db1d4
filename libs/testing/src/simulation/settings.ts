/** What a schedule is made of: a profile says which promise is tested, a seed says which faults take part and how often. */
import { Random } from './random.js';

/**
 * `exclusive`: every job may have one copy alive at most, leases are short, fences bite.
 * `reclaim`: the product's defaults: processes outlive their leases and are taken on again.
 */
export type Profile = 'exclusive' | 'reclaim';

export interface Faults {
  /** Share of messages that are lost, doubled, or late (up to 14 s). */
  readonly dropRate: number;
  readonly duplicateRate: number;
  readonly delayRate: number;
  /** Chance to die, or to stand still, at each step boundary. */
  readonly agentCrashRate: number;
  readonly agentFreezeRate: number;
  readonly replicaCrashRate: number;
  /** Mean time between, milliseconds of the whole world; null: never. */
  readonly partitionEveryMs: number | null;
  readonly rebootEveryMs: number | null;
  readonly outageEveryMs: number | null;
  readonly clockStepEveryMs: number | null;
  /** An operator stops an agent, with or without its jobs, and starts it again. */
  readonly plannedStopEveryMs: number | null;
  /** A second agent with the same identity turns up once. */
  readonly isUsurped: boolean;
}

export const NO_FAULTS: Faults = {
  dropRate: 0,
  duplicateRate: 0,
  delayRate: 0,
  agentCrashRate: 0,
  agentFreezeRate: 0,
  replicaCrashRate: 0,
  partitionEveryMs: null,
  rebootEveryMs: null,
  outageEveryMs: null,
  clockStepEveryMs: null,
  plannedStopEveryMs: null,
  isUsurped: false,
};

export interface Settings {
  readonly seed: number;
  readonly profile: Profile;
  readonly faults: Faults;
  readonly machineCount: number;
  readonly replicaCount: number;
  readonly jobCount: number;
  /** Faults for this long, then the world heals and must come to rest. */
  readonly faultyMs: number;
  readonly restMs: number;
  readonly workerTimeoutMs: number;
  readonly beatIntervalMs: number;
  readonly offerTtlMs: number;
  readonly sweepEveryMs: number;
  readonly dispatchEveryMs: number;
  readonly ackTimeoutMs: number;
}

/** Each kind of fault takes part in about half of all schedules, so that every pair and triple of them meets. */
export function settingsOf(seed: number, profile: Profile): Settings {
  const random = new Random(seed * 2_654_435_761 + (profile === 'exclusive' ? 1 : 2));
  const maybe = <T>(value: T, otherwise: T): T => (random.chance(0.5) ? value : otherwise);
  const faults: Faults = {
    dropRate: maybe(random.between(0.01, 0.25), 0),
    duplicateRate: maybe(random.between(0.01, 0.3), 0),
    delayRate: maybe(random.between(0.01, 0.2), 0),
    agentCrashRate: maybe(random.between(0.001, 0.02), 0),
    agentFreezeRate: maybe(random.between(0.001, 0.01), 0),
    replicaCrashRate: maybe(random.between(0.001, 0.02), 0),
    partitionEveryMs: maybe(random.between(5_000, 20_000), null),
    rebootEveryMs: maybe(random.between(15_000, 60_000), null),
    outageEveryMs: maybe(random.between(10_000, 40_000), null),
    clockStepEveryMs: maybe(random.between(5_000, 20_000), null),
    plannedStopEveryMs: maybe(random.between(15_000, 40_000), null),
    isUsurped: random.chance(0.15),
  };
  return {
    seed,
    profile,
    faults,
    machineCount: random.whole(2, 4),
    replicaCount: 2,
    jobCount: random.whole(4, 10),
    faultyMs: 60_000,
    restMs: 900_000,
    workerTimeoutMs: 6_000,
    beatIntervalMs: 2_000,
    offerTtlMs: 15_000,
    sweepEveryMs: 1_000,
    dispatchEveryMs: 2_000,
    ackTimeoutMs: 5_000,
  };
}
