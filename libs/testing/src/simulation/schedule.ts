/** One schedule from seed to verdict: jobs, people, faults for a while, then healing, and what must hold once all is quiet. */
import { planFaults } from './faults/plan-faults.js';
import { checkRest, isAtRest } from './invariants/rest.js';
import { planOrders } from './people/orders.js';
import { planDecisions, planPeople } from './people/people.js';
import { settingsOf } from './settings/settings.js';
import type { Overrides, Profile, Settings, Shape } from './settings/settings.js';
import type { Recorder } from './world/recorder.js';
import { PRODUCT } from './world/reducers.js';
import type { Reducers } from './world/reducers.js';
import { World } from './world/world.js';

export interface Result {
  readonly seed: number;
  readonly profile: Profile;
  /** The first broken invariant; null when all held. */
  readonly violation: string | null;
  readonly counters: ReadonlyMap<string, number>;
  /** Things that happened, in virtual time. */
  readonly eventCount: number;
  /** Virtual time at which all was quiet. */
  readonly quietMs: number;
  /** A digest of everything that happened and of what it left behind; made when it is asked for. */
  readonly stateHash: string;
  /** What happened, when it was traced. */
  readonly lines: readonly string[];
}

export interface ScheduleOptions {
  /** The decisions under test; the product's unless a mutant is given. */
  readonly reducers?: Reducers;
  readonly isTraced?: boolean;
  /** Told of everything the database commits. */
  readonly recorder?: Recorder;
  /** Makes the schedule smaller than its seed would have it. */
  readonly overrides?: Overrides;
  /** Makes of what the seed has drawn what is wanted instead: for what chance would bring too seldom. */
  readonly shape?: Shape;
}

/** Same seed, profile, overrides and reducers: the same schedule, event for event. */
export function runSchedule(seed: number, profile: Profile, options: ScheduleOptions = {}): Result {
  const { overrides, shape = asDrawn, ...rest } = options;
  const world = new World(shape(settingsOf(seed, profile, overrides)), { reducers: PRODUCT, isTraced: false, ...rest });
  let violation: string | null = null;
  try {
    live(world);
  } catch (error) {
    // A reducer that refuses its own move throws an ordinary error: that is a finding, too.
    violation = error instanceof Error ? error.message : String(error);
    world.trace(() => (error instanceof Error ? (error.stack ?? error.message) : String(error)));
  }
  const { counters, lines, nowMs: quietMs, scheduler } = world;
  return {
    seed, profile, violation, counters, eventCount: scheduler.eventCount, quietMs, lines,
    get stateHash() {
      return hashOf(world);
    },
  };
}

function asDrawn(settings: Settings): Settings {
  return settings;
}

function live(world: World): void {
  const { settings, scheduler } = world;
  planPeople(world);
  planOrders(world);
  for (const machine of world.machines) world.after(world.random.between(0, 2_000), () => machine.startAgent());
  planFaults(world);
  scheduler.runUntil(settings.faultyMs);
  world.heal();
  planDecisions(world);
  let isOver = false;
  const look = (): void => {
    isOver = isAtRest(world);
    world.after(200, look);
  };
  look();
  scheduler.runUntil(world.nowMs + settings.restMs, () => isOver);
  checkRest(world);
}

function hashOf(world: World): string {
  const { jobs, attempts, workers } = world.database.tables;
  const rows = JSON.stringify([[...jobs.values()], [...attempts.values()], [...workers.values()], [...world.database.logs]]);
  let hash = world.scheduler.hash;
  for (let index = 0; index < rows.length; index++) hash = Math.imul(hash ^ rows.charCodeAt(index), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
