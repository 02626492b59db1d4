import { runningJobs } from '../cluster/machine.js';
import type { FaultOf } from './fault.js';

const FULL_MS_MAX = 4_000;

export const diskFull: FaultOf = ({ site, wait }, fault) =>
  site.agents.flatMap(({ name, attemptsDir, disk, part }) => {
    if (!disk || !part.isRunning || runningJobs(attemptsDir).length === 0) return [];
    const lengthMs = Math.min(fault.lengthMs, FULL_MS_MAX);
    const strike = async (): Promise<string> => {
      disk.fill();
      await wait(lengthMs);
      disk.empty();
      return `full for ${lengthMs} ms`;
    };
    return [{ name: `disk of agent ${name}`, holds: [`disk of ${name}`], workers: [name], strike }];
  });
