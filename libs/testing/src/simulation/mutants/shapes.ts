/** Schedules in which what chance brings seldom comes often. */
import { NO_FAULTS } from '../settings/faults.js';
import type { Settings } from '../settings/settings.js';

/** One worker and two agents that are it, on a bad network and without any other trouble. */
export function withOneUsurpedWorker(settings: Settings): Settings {
  const network = { delayRate: 0.25, duplicateRate: 0.3, dropRate: 0.1, isReordered: true, partitionEveryMs: 15_000 };
  return { ...settings, machineCount: 1, jobCount: 5, faults: { ...NO_FAULTS, ...network, isUsurped: true } };
}

/** All want GPUs, and many are cancelled and stay. */
export function withUnkillableGpuJobs(settings: Settings): Settings {
  return { ...settings, gpuShare: 1, faults: { ...settings.faults, unkillableRate: 0.7, peopleEveryMs: 3_000, supervisorDeathEveryMs: null } };
}
