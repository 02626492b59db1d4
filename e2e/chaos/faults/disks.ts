import { runningJobs } from '../../src/agent-state.js';
import type { FaultOf } from './fault.js';

const FULL_MS_MAX = 4_000;

/** The agent is not started meanwhile: on a full disk it cannot say who it is, and ends. */
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
    return [{ name: `disk of agent ${name}`, holds: [`disk of ${name}`, part.name], workers: [name], strike }];
  });
