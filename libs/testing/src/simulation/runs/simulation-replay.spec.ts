import { describeFailure, replayCommand } from '../failure.js';
import { runSchedule } from '../schedule.js';
import { FAULT_CLASSES } from '../settings/faults.js';
import { PROFILES, settingsOf } from '../settings/settings.js';
import { baseSeed, replayFromEnvironment } from './environment.js';
import { REGRESSIONS } from './regressions.js';

describe('a schedule', () => {
  const wanted = replayFromEnvironment() ?? { seed: baseSeed(), profiles: PROFILES, overrides: {} };

  test.each(wanted.profiles)('is the same when it is repeated, event for event, profile %s', (profile) => {
    const [first, second] = [1, 2].map(() => runSchedule(wanted.seed, profile, { overrides: wanted.overrides, isTraced: true }));
    expect(first?.lines).toEqual(second?.lines);
    expect(first?.stateHash).toBe(second?.stateHash);
    expect(first?.violation === null || first === undefined ? '' : describeFailure(first, { overrides: wanted.overrides })).toBe('');
  });

  test('does without every fault that is switched off', () => {
    const { faults } = settingsOf(wanted.seed, 'reclaim', { without: FAULT_CLASSES });
    expect(Object.values(faults).filter((value) => value !== 0 && value !== null && value !== false)).toEqual([]);
  });

  test('with different seeds differs', () => {
    expect(runSchedule(1, 'exclusive').stateHash).not.toBe(runSchedule(2, 'exclusive').stateHash);
  });
});

describe('schedules that once broke a promise', () => {
  test.each(REGRESSIONS.map((one) => [one.story, one] as const))('keep it now: %s', (_story, { seed, profile, overrides = {} }) => {
    const result = runSchedule(seed, profile, { overrides });
    expect(result.violation === null ? '' : describeFailure(result, { overrides })).toBe('');
  });
});

describe('what is said of a failed schedule', () => {
  test('is the command that repeats it', () => {
    const command = replayCommand({ seed: 7, profile: 'reclaim' }, { without: ['drop', 'delay'], jobCount: 2 });
    expect(command).toBe('SIM_SEED=7 SIM_PROFILE=reclaim SIM_WITHOUT=drop,delay SIM_JOBS=2 npx jest simulation-replay');
  });

  test('is read back from the environment', () => {
    const environment = { SIM_SEED: '7', SIM_PROFILE: 'reclaim', SIM_WITHOUT: 'drop,delay', SIM_JOBS: '2', SIM_MACHINES: '3' };
    expect(replayFromEnvironment(environment)).toEqual({ seed: 7, profiles: ['reclaim'], overrides: { without: ['drop', 'delay'], jobCount: 2, machineCount: 3 } });
  });

  test('names no fault that there is not', () => {
    expect(() => replayFromEnvironment({ SIM_SEED: '7', SIM_WITHOUT: 'rain' })).toThrow('no fault called "rain"');
  });
});
