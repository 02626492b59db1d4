/** What can go wrong in a schedule. Each class can be switched off by name, to find out which of them a failure needs. */
import type { Random } from '../world/random.js';

export const FAULT_CLASSES = [
  'drop', 'duplicate', 'reorder', 'delay', 'partition', 'agentCrash', 'agentFreeze', 'replicaCrash', 'replicaFreeze', 'reboot', 'outage',
  'clockStep', 'drift', 'plannedStop', 'usurper', 'wardenDeath', 'supervisorDeath', 'disk', 'unkillable', 'people', 'copiedDisk',
  'orders', 'removal',
] as const;
export type FaultClass = (typeof FAULT_CLASSES)[number];

export interface Faults {
  /** Share of messages that are lost, doubled, or late (up to 14 s). */
  readonly dropRate: number;
  readonly duplicateRate: number;
  readonly delayRate: number;
  /** Messages of one connection may overtake each other, as requests do that are not on one socket. */
  readonly isReordered: boolean;
  /** Chance to die, or to stand still, at each step boundary. */
  readonly agentCrashRate: number;
  readonly agentFreezeRate: number;
  readonly replicaCrashRate: number;
  readonly replicaFreezeRate: number;
  /** Mean time between two of them, milliseconds of the whole world; null: never. */
  readonly partitionEveryMs: number | null;
  readonly rebootEveryMs: number | null;
  readonly outageEveryMs: number | null;
  /** The database's clock is set, by up to a second. */
  readonly clockStepEveryMs: number | null;
  /** The machines' boot clocks run up to 1 % fast or slow. */
  readonly isDrifting: boolean;
  /** An operator stops an agent, with or without its jobs, and starts it again. */
  readonly plannedStopEveryMs: number | null;
  /** A second agent with the same identity turns up once. */
  readonly isUsurped: boolean;
  /** A copy of a machine's disk, made while something was to be started there, comes up as a second agent once. */
  readonly isDiskCopied: boolean;
  /** The timer outside the agent is killed; only in schedules whose agents stay alive, for one of the two has to. */
  readonly wardenDeathEveryMs: number | null;
  /** Somebody, or the kernel, kills what supervises a process, and the process with it. */
  readonly supervisorDeathEveryMs: number | null;
  /** A disk is full for a while: no offers are taken, and intents may fail to be written. */
  readonly diskFullEveryMs: number | null;
  /** Share of processes that not even KILL ends for a while. */
  readonly unkillableRate: number;
  /** People cancel, force, pause, resume, take back and give up. */
  readonly peopleEveryMs: number | null;
  /** People cordon, drain and undrain workers, and change their slots. */
  readonly ordersEveryMs: number | null;
  /** A worker is removed for good once. */
  readonly isWorkerRemoved: boolean;
}

export const NO_FAULTS: Faults = {
  dropRate: 0, duplicateRate: 0, delayRate: 0, isReordered: false, agentCrashRate: 0, agentFreezeRate: 0, replicaCrashRate: 0,
  replicaFreezeRate: 0, partitionEveryMs: null, rebootEveryMs: null, outageEveryMs: null, clockStepEveryMs: null, isDrifting: false,
  plannedStopEveryMs: null, isUsurped: false, isDiskCopied: false, wardenDeathEveryMs: null, supervisorDeathEveryMs: null, diskFullEveryMs: null,
  unkillableRate: 0, peopleEveryMs: null, ordersEveryMs: null, isWorkerRemoved: false,
};

/**
 * Each class takes part in about half of all schedules, so that every pair and triple of them meets. All numbers are drawn
 * whether they are wanted or not: a class that is switched off leaves the others as they were.
 *
 * @param hourMs the length of time over which a rare fault should happen a few times
 */
export function drawFaults(random: Random, hourMs: number, without: ReadonlySet<FaultClass>): Faults {
  const drawn = (name: FaultClass, low: number, high: number, share = 0.5): number => {
    const [isIn, value] = [random.chance(share), random.between(low, high)];
    return isIn && !without.has(name) ? value : 0;
  };
  const every = (name: FaultClass, low: number, high: number, share?: number): number | null => {
    const times = drawn(name, low, high, share);
    return times === 0 ? null : hourMs / times;
  };
  const faults: Faults = {
    dropRate: drawn('drop', 0.01, 0.25),
    duplicateRate: drawn('duplicate', 0.01, 0.3),
    delayRate: drawn('delay', 0.01, 0.2),
    isReordered: drawn('reorder', 1, 1) > 0,
    agentCrashRate: drawn('agentCrash', 0.001, 0.02),
    agentFreezeRate: drawn('agentFreeze', 0.001, 0.01),
    replicaCrashRate: drawn('replicaCrash', 0.001, 0.02),
    replicaFreezeRate: drawn('replicaFreeze', 0.0005, 0.005),
    partitionEveryMs: every('partition', 3, 12),
    rebootEveryMs: every('reboot', 1, 4),
    outageEveryMs: every('outage', 1, 6),
    clockStepEveryMs: every('clockStep', 3, 12),
    isDrifting: drawn('drift', 1, 1) > 0,
    plannedStopEveryMs: every('plannedStop', 1, 4),
    isUsurped: drawn('usurper', 1, 1, 0.15) > 0,
    wardenDeathEveryMs: every('wardenDeath', 4, 12, 0.15),
    supervisorDeathEveryMs: every('supervisorDeath', 0.5, 2, 0.25),
    diskFullEveryMs: every('disk', 1, 4, 0.3),
    unkillableRate: drawn('unkillable', 0.1, 0.5, 0.3),
    peopleEveryMs: every('people', 3, 20, 0.7),
    isDiskCopied: drawn('copiedDisk', 1, 1, 0.2) > 0,
    ordersEveryMs: every('orders', 2, 10, 0.4),
    isWorkerRemoved: drawn('removal', 1, 1, 0.08) > 0,
  };
  if (faults.wardenDeathEveryMs === null) return faults;
  return { ...faults, agentCrashRate: 0, agentFreezeRate: 0, rebootEveryMs: null, plannedStopEveryMs: null, isUsurped: false, isDiskCopied: false, isWorkerRemoved: false };
}
