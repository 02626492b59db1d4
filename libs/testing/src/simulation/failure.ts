/** What a person needs to see of a failed schedule: how to repeat it, what broke, which faults it takes, and how it came to that. */
import { runSchedule } from './schedule.js';
import type { Result, ScheduleOptions } from './schedule.js';
import { FAULT_CLASSES } from './settings/faults.js';
import type { FaultClass } from './settings/faults.js';
import { settingsOf } from './settings/settings.js';
import type { Overrides } from './settings/settings.js';

type Failed = Pick<Result, 'seed' | 'profile'>;
type Options = Omit<ScheduleOptions, 'isTraced'>;

/** The smallest schedule that still fails in any way: classes of faults left out one by one, then jobs, then machines. */
export function shrink({ seed, profile }: Failed, options: Options = {}): Overrides {
  const fails = (overrides: Overrides): boolean => runSchedule(seed, profile, { ...options, overrides }).violation !== null;
  let small: Overrides = options.overrides ?? {};
  for (let before = ''; before !== JSON.stringify(small); ) {
    before = JSON.stringify(small);
    small = withoutFaults(small, fails);
  }
  const { jobCount, machineCount } = settingsOf(seed, profile, small);
  for (let count = 1; count < jobCount; count++) {
    if (!fails({ ...small, jobCount: count })) continue;
    small = { ...small, jobCount: count };
    break;
  }
  for (let count = 1; count < machineCount; count++) {
    if (!fails({ ...small, machineCount: count })) continue;
    small = { ...small, machineCount: count };
    break;
  }
  return withoutFaults(small, fails);
}

/** The command line that repeats a schedule, and nothing else. */
export function replayCommand({ seed, profile }: Failed, overrides: Overrides = {}): string {
  const { without, jobCount, machineCount } = overrides;
  return [
    `SIM_SEED=${seed}`,
    `SIM_PROFILE=${profile}`,
    ...(without === undefined || without.length === 0 ? [] : [`SIM_WITHOUT=${without.join(',')}`]),
    ...(jobCount === undefined ? [] : [`SIM_JOBS=${jobCount}`]),
    ...(machineCount === undefined ? [] : [`SIM_MACHINES=${machineCount}`]),
    'npx jest simulation-replay',
  ].join(' ');
}

/** Several lines: the violation, the seed, what is left of the faults, the way to repeat it, and the last things that happened. */
export function describeFailure(result: Result, options: Options = {}, lineCount = 60): string {
  const overrides = shrink(result, options);
  const traced = runSchedule(result.seed, result.profile, { ...options, overrides, isTraced: true });
  const again = runSchedule(result.seed, result.profile, { ...options, overrides });
  const needed = FAULT_CLASSES.filter((name) => overrides.without?.includes(name) !== true);
  return [
    `seed ${result.seed}, profile ${result.profile}: ${result.violation}`,
    `shrunk: ${traced.violation} with ${needed.join(', ') || 'no faults at all'}`,
    `repeat: ${replayCommand(result, overrides)}`,
    `state hash ${traced.stateHash}, and ${again.stateHash} when repeated; ${traced.eventCount} events`,
    ...traced.lines.slice(-lineCount).map((line) => line.slice(0, 600)),
  ].join('\n');
}

function withoutFaults(start: Overrides, fails: (overrides: Overrides) => boolean): Overrides {
  let small = start;
  for (const name of FAULT_CLASSES) {
    const without: readonly FaultClass[] = small.without ?? [];
    if (without.includes(name)) continue;
    const smaller = { ...small, without: [...without, name] };
    if (fails(smaller)) small = smaller;
  }
  return small;
}
