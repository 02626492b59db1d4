/**
 * Schedules that once broke a promise, and what it was. A change of the simulator moves what a seed means; what holds the mending
 * for ever is the spec beside the decision, and these are run besides.
 */
import type { Overrides, Profile } from '../settings/settings.js';

export interface Regression {
  readonly story: string;
  readonly seed: number;
  readonly profile: Profile;
  readonly overrides?: Overrides;
}

export const REGRESSIONS: readonly Regression[] = [
  { story: 'a hello that lay in a frozen replica for minutes took the worker from its living agent', seed: 76, profile: 'reclaim' },
  { story: 'two copies of one agent, started equally often, took the worker from each other until both had left', seed: 100_304, profile: 'exclusive' },
  { story: 'the GPU of a process that could not be killed was given to another', seed: 201_970, profile: 'exclusive' },
  { story: 'an adopted process was not known to hold its GPU', seed: 204_625, profile: 'exclusive' },
  { story: 'of two agents with one name the one gave back the attempt that the other had started', seed: 215_373, profile: 'exclusive' },
];
