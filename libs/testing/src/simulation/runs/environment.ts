/** What a person says about a run, by variables of the environment; see `npm run sim` for long runs. */
import { execFileSync } from 'node:child_process';
import { FAULT_CLASSES } from '../settings/faults.js';
import type { FaultClass } from '../settings/faults.js';
import { PROFILES } from '../settings/settings.js';
import type { Overrides, Profile } from '../settings/settings.js';

/** The first seed where there is no commit to take it from. */
const BASE_WITHOUT_COMMIT = 1;

/** One schedule to repeat. */
export interface Replay {
  readonly seed: number;
  readonly profiles: readonly Profile[];
  readonly overrides: Overrides;
}

/**
 * The first seed of a run: a number or a commit hash, of which the first digits count. Without one it is that of the commit
 * that is checked out, so that every commit sees schedules that none has seen before, and sees them again when repeated.
 */
export function baseSeed(text: string | undefined = process.env['SIM_BASE']): number {
  const given = text ?? commitHash();
  if (given === undefined || given === '') return BASE_WITHOUT_COMMIT;
  return /^\d{1,9}$/.test(given) ? Number(given) : Number.parseInt(given.slice(0, 7), 16);
}

/** `SIM_SEED`, `SIM_PROFILE`, `SIM_WITHOUT`, `SIM_JOBS`, `SIM_MACHINES`; null without a seed. */
export function replayFromEnvironment(environment: NodeJS.ProcessEnv = process.env): Replay | null {
  const { SIM_SEED: seed, SIM_PROFILE: profile, SIM_WITHOUT: without, SIM_JOBS: jobs, SIM_MACHINES: machines } = environment;
  if (seed === undefined) return null;
  return {
    seed: Number(seed),
    profiles: PROFILES.filter((name) => profile === undefined || name === profile),
    overrides: {
      ...(without === undefined ? {} : { without: without.split(',').map(toFaultClass) }),
      ...(jobs === undefined ? {} : { jobCount: Number(jobs) }),
      ...(machines === undefined ? {} : { machineCount: Number(machines) }),
    },
  };
}

function toFaultClass(text: string): FaultClass {
  const found = FAULT_CLASSES.find((name) => name === text);
  if (found === undefined) throw new Error(`There is no fault called "${text}"; there are ${FAULT_CLASSES.join(', ')}.`);
  return found;
}

function commitHash(): string | undefined {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
