/** What a schedule is made of: a profile says which promise is tested, a seed says which faults take part and how often. */
import { TIMES, beatIntervalMs } from '@muster/protocol';
import { Random } from '../world/random.js';
import { drawFaults } from './faults.js';
import type { FaultClass, Faults } from './faults.js';

/**
 * `exclusive`: every job may have one copy alive at most, its lease is 30 s, fences bite.
 * `reclaim`: the product's defaults, ten minutes of them: processes outlive their leases and are claimed again. Most of its
 * schedules are brisk: W is 6 s there, as somebody may set it, and late messages outlive leases as well.
 */
export type Profile = 'exclusive' | 'reclaim';
export const PROFILES = ['exclusive', 'reclaim'] as const satisfies readonly Profile[];

/** Makes a schedule smaller than its seed would have it, for the search of what a failure needs. */
export interface Overrides {
  readonly without?: readonly FaultClass[];
  readonly jobCount?: number;
  readonly machineCount?: number;
}

export interface Settings {
  readonly seed: number;
  readonly profile: Profile;
  readonly faults: Faults;
  /** Terms of seconds instead of minutes. */
  readonly isBrisk: boolean;
  readonly machineCount: number;
  readonly replicaCount: number;
  readonly jobCount: number;
  /** Share of jobs that want GPUs, of which every machine has two. */
  readonly gpuShare: number;
  /** Share of machines whose worker is a program over REST. */
  readonly httpShare: number;
  /** Jobs are submitted within this time. */
  readonly submitMs: number;
  /** Longest run of a job that nobody disturbs. */
  readonly runMsMax: number;
  /** Faults for this long, then the world heals and must come to rest. */
  readonly faultyMs: number;
  readonly restMs: number;
  /** A long absence of a machine or an agent: longer than some lease. */
  readonly longAbsenceMs: readonly [number, number];
  readonly workerTimeoutMs: number;
  readonly beatIntervalMs: number;
  readonly offerTtlMs: number;
  readonly sweepEveryMs: number;
  readonly dispatchEveryMs: number;
  readonly requestTimeoutMs: number;
  readonly shipEveryMs: number;
}

/** Changes what was drawn. */
export type Shape = (settings: Settings) => Settings;

type Numbers = Omit<Settings, 'seed' | 'profile' | 'faults' | 'isBrisk' | 'machineCount' | 'replicaCount' | 'jobCount' | 'gpuShare' | 'httpShare' | 'beatIntervalMs'>;

/** How often a replica looks for due work and for leases that are over, and how long an agent waits for an answer: as in the apps. */
const SHELL = { offerTtlMs: TIMES.offerTtlMs, dispatchEveryMs: 1_500, sweepEveryMs: 1_000, requestTimeoutMs: 8_000 };

const NUMBERS: Record<Profile, Numbers> = {
  exclusive: {
    ...SHELL, workerTimeoutMs: 20_000, submitMs: 25_000, runMsMax: 40_000, faultyMs: 90_000, restMs: 1_200_000, longAbsenceMs: [8_000, 45_000], shipEveryMs: 1_000,
  },
  reclaim: {
    ...SHELL, workerTimeoutMs: TIMES.workerTimeoutMs, submitMs: 150_000, runMsMax: 500_000, faultyMs: 600_000, restMs: 7_200_000,
    longAbsenceMs: [60_000, 450_000], shipEveryMs: 30_000,
  },
};

/** Of the brisk schedules of `reclaim`. */
export const BRISK: Numbers = {
  ...SHELL, workerTimeoutMs: 6_000, submitMs: 20_000, runMsMax: 45_000, faultyMs: 60_000, restMs: 1_800_000, longAbsenceMs: [8_000, 25_000], shipEveryMs: 1_000,
};

/** Of `reclaim`: ten minutes of faults cost as much as six times one minute. */
const BRISK_SHARE = 0.7;

/** Leases of exclusive jobs are W plus this: 30 s in the profile `exclusive`. */
export const EXCLUSIVE_LOST_AFTER_SECONDS = 10;

export function settingsOf(seed: number, profile: Profile, overrides: Overrides = {}): Settings {
  const random = new Random(Math.imul(seed, 0x9e3779b1) + (profile === 'exclusive' ? 1 : 2));
  const isBrisk = random.chance(BRISK_SHARE) && profile === 'reclaim';
  const numbers = isBrisk ? BRISK : NUMBERS[profile];
  const [machineCount, jobCount] = [random.whole(2, 4), random.whole(4, 10)];
  return {
    ...numbers,
    seed,
    profile,
    isBrisk,
    beatIntervalMs: beatIntervalMs(numbers.workerTimeoutMs, machineCount),
    machineCount: overrides.machineCount ?? machineCount,
    jobCount: overrides.jobCount ?? jobCount,
    replicaCount: 2,
    gpuShare: 0.2,
    httpShare: 0.25,
    faults: drawFaults(random, numbers.faultyMs, new Set(overrides.without)),
  };
}
