import { describeFailure, replayCommand } from '../failure.js';
import { runSchedule } from '../schedule.js';
import { FAULT_CLASSES } from '../settings/faults.js';
import { PROFILES, settingsOf } from '../settings/settings.js';
import { baseSeed, replayFromEnvironment } from './environment.js';

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

  test('draws other settings for a neighbour of a seed as great as a commit hash', () => {
    const [first, second] = [0xfffffff, 0xffffffe].map((seed) => settingsOf(seed, 'exclusive').faults);
    expect(first).not.toEqual(second);
  });

  test('with a seed as great as a commit hash draws other faults for each profile', () => {
    const [exclusive, reclaim] = PROFILES.map((profile) => settingsOf(0xfffffff, profile).faults.dropRate);
    expect(exclusive).not.toBe(reclaim);
  });

  test('with different seeds differs', () => {
    expect(runSchedule(1, 'exclusive').stateHash).not.toBe(runSchedule(2, 'exclusive').stateHash);
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
