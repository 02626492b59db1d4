/** Schedules in which what chance brings seldom comes often. */
import { NO_FAULTS } from '../settings/faults.js';
import type { Settings } from '../settings/settings.js';

/** One worker and two agents that are it, on a bad network and without any other trouble. */
export function withOneUsurpedWorker(settings: Settings): Settings {
  const network = { delayRate: 0.25, duplicateRate: 0.3, dropRate: 0.1, isReordered: true, partitionEveryMs: 15_000 };
  return { ...settings, machineCount: 1, jobCount: 5, faults: { ...NO_FAULTS, ...network, isUsurped: true } };
}

/** One worker whose disk is copied, and people and a network that give both agents something to be wrong about. */
export function withOneCopiedDisk(settings: Settings): Settings {
  const network = { delayRate: 0.25, duplicateRate: 0.1, dropRate: 0.1, isReordered: true };
  return { ...settings, machineCount: 1, jobCount: 6, faults: { ...NO_FAULTS, ...network, isDiskCopied: true, peopleEveryMs: 8_000, plannedStopEveryMs: 6_000 } };
}

/** People order workers about all the time, and remove one. */
export function withManyOrders(settings: Settings): Settings {
  return { ...settings, faults: { ...settings.faults, ordersEveryMs: 3_000, isWorkerRemoved: true, isUsurped: false, isDiskCopied: false } };
}

/** No agents: every worker is a program over REST, and one of them is there twice. */
export function withPrograms(settings: Settings): Settings {
  return { ...settings, httpShare: 1, faults: { ...settings.faults, isUsurped: true } };
}

/** All want GPUs, and many are cancelled and stay. */
export function withUnkillableGpuJobs(settings: Settings): Settings {
  return { ...settings, gpuShare: 1, faults: { ...settings.faults, unkillableRate: 0.7, peopleEveryMs: 3_000, supervisorDeathEveryMs: null } };
}
