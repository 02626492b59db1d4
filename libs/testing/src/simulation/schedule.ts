/** One schedule from seed to verdict: jobs, people, faults for a while, then healing, and what must hold once all is quiet. */
import { toJobSpec } from '@muster/domain';
import type { JobFacts } from '@muster/domain';
import type { JobId, JobNeeds, OnWorkerLost } from '@muster/protocol';
import { Violation } from './invariants.js';
import { PRODUCT } from './reducers.js';
import type { Recorder } from './recorder.js';
import type { Reducers } from './reducers.js';
import { NO_FAULTS, settingsOf } from './settings.js';
import type { Profile, Settings } from './settings.js';
import { World } from './world.js';

export interface Result {
  readonly seed: number;
  readonly profile: Profile;
  /** The first broken invariant; null when all held. */
  readonly violation: string | null;
  readonly counters: ReadonlyMap<string, number>;
  /** Virtual time at which all was quiet. */
  readonly quietMs: number;
  /** What happened, when it was traced. */
  readonly lines: readonly string[];
}

export interface ScheduleOptions {
  /** The decisions under test; the product's unless a mutant is given. */
  readonly reducers?: Reducers;
  readonly isTraced?: boolean;
  /** Told of everything the database commits. */
  readonly recorder?: Recorder;
}

/** Same seed, profile and reducers: the same schedule, event for event. */
export function runSchedule(seed: number, profile: Profile, options: ScheduleOptions = {}): Result {
  const world = new World(settingsOf(seed, profile), { reducers: PRODUCT, isTraced: false, ...options });
  let violation: string | null = null;
  try {
    begin(world);
    world.scheduler.runUntil(world.settings.faultyMs);
    heal(world);
    const endMs = world.nowMs + world.settings.restMs;
    let isAtRest = false;
    const look = (): void => {
      isAtRest = isQuiet(world);
      world.after(100, look);
    };
    look();
    world.scheduler.runUntil(endMs, () => isAtRest);
    checkRest(world);
  } catch (error) {
    // A reducer that refuses its own move throws an ordinary error: that is a finding, too.
    violation = error instanceof Error ? error.message : String(error);
  }
  return { seed, profile, violation, counters: world.counters, quietMs: world.nowMs, lines: world.lines };
}

/** What a person needs to see of a failed schedule: how to repeat it, what broke, and how it came to that. */
export function describeFailure(result: Result, reducers: Reducers = PRODUCT, lineCount = 60): string {
  const { lines } = runSchedule(result.seed, result.profile, { reducers, isTraced: true });
  const tail = lines.slice(-lineCount).map((line) => line.slice(0, 600));
  return [`SIM_SEED=${result.seed} profile ${result.profile}: ${result.violation}`, ...tail].join('\n');
}

function begin(world: World): void {
  const { random, settings } = world;
  for (let i = 0; i < settings.jobCount; i++) world.after(random.between(0, 20_000), () => submit(world, i));
  for (const machine of world.machines) world.after(random.between(0, 2_000), () => machine.startAgent());
  planFaults(world, settings);
}

function submit(world: World, index: number): void {
  const { random, settings, database } = world;
  const id = `job_${String(index).padStart(4, '0')}` as JobId;
  const isExclusive = settings.profile === 'exclusive';
  const onWorkerLost: OnWorkerLost = random.chance(0.1) ? 'fail' : !isExclusive && random.chance(0.15) ? 'wait' : 'requeue';
  const result = toJobSpec(
    {
      run: { command: ['work'] },
      needs: needsOf(world),
      graceSeconds: random.whole(0, 1),
      priority: random.whole(-1, 1),
      retry: { onFailure: random.whole(0, 2), backoffSeconds: random.pick([0, 1, 20]), onWorkerLost: random.whole(0, 3) },
      disconnect: { exclusive: isExclusive, onWorkerLost, lostAfterSeconds: isExclusive ? 10 : random.pick([2, 2, 4, 10, 60]) },
    },
    settings.workerTimeoutMs,
  );
  if (!result.ok) throw new Violation('valid job', JSON.stringify(result.errors));
  const job: JobFacts = {
    id, owner: random.pick(['ada', 'bob']), spec: result.spec, status: 'queued', desired: 'run', force: false, reason: 'waiting', reasonDetail: null,
    priority: result.spec.priority, epoch: 0, attemptCount: 0, currentAttemptId: null, failures: 0, losses: 0, refusals: 0, lossesWhileRunning: 0,
    notBeforeMs: null, queueUntilMs: null, createdMs: database.nowMs, startedMs: null, finishedMs: null, exit: null,
  };
  world.plan(id, {
    runMs: random.chance(0.3) ? random.between(10, 1_000) : random.between(1_000, settings.profile === 'reclaim' ? 45_000 : 25_000),
    exitCode: random.chance(0.2) ? 1 : 0,
    bytesPerSecond: random.chance(0.3) ? 0 : random.between(10, 5_000),
    ignoresStop: random.chance(0.2),
    failsToSpawn: random.chance(0.05),
  });
  database.insertJob(job);
  if (random.chance(0.25)) world.after(random.between(0, 40_000), () => world.run({ type: 'cancel', jobId: id, force: random.chance(0.3), actor: 'ada' }));
  if (random.chance(0.1)) world.after(random.between(5_000, 60_000), () => world.run({ type: random.pick(['requeue', 'abandon']), jobId: id, actor: 'bob' }));
}

/** Some jobs fit one worker only, so that nobody else takes them while it is away. */
function needsOf(world: World): JobNeeds {
  const { random } = world;
  if (random.chance(0.1)) return { gpus: 1 };
  return random.chance(world.settings.profile === 'reclaim' ? 0.4 : 0.1) ? { labels: { home: random.pick(world.machines).workerId } } : {};
}

function planFaults(world: World, settings: Settings): void {
  const { random, faults } = world;
  const every = (meanMs: number | null, run: () => void): void => {
    if (meanMs === null) return;
    world.after(random.between(0.2, 1.8) * meanMs, () => {
      if (world.faults === NO_FAULTS) return;
      run();
      every(meanMs, run);
    });
  };
  every(faults.partitionEveryMs, () => partition(world));
  every(faults.rebootEveryMs, () => random.pick(world.machines).reboot());
  every(faults.plannedStopEveryMs, () => {
    const keepJobs = random.chance(0.5);
    world.count(keepJobs ? 'agent stops, jobs kept' : 'agent stops with its jobs');
    random.pick(world.machines).host?.post({ type: 'stopAsked', keepJobs });
  });
  every(faults.clockStepEveryMs, () => {
    world.database.clockOffsetMs = random.between(-500, 500);
  });
  every(faults.outageEveryMs, () => {
    world.count('database outages');
    world.database.isUp = false;
    world.after(random.between(100, 8_000), () => {
      world.database.isUp = true;
    });
  });
  if (faults.isUsurped) world.after(random.between(10_000, settings.faultyMs), () => world.usurp(random.pick(world.machines)));
}

/** Between one machine and one replica or all, one way or both. The agent's socket may notice, or hang on. */
function partition(world: World): void {
  const { random } = world;
  world.count('partitions');
  const machine = random.pick(world.machines);
  const forMs = random.chance(0.5) ? random.between(8_000, 25_000) : random.between(500, 10_000);
  const replicas = random.chance(0.7) ? world.replicas : [random.pick(world.replicas)];
  const directions = random.pick([['up'], ['down'], ['up', 'down']] as const);
  for (const replica of replicas) for (const direction of directions) world.network.cut(machine.index, replica.index, direction, forMs);
  if (random.chance(0.7)) world.after(random.between(500, 8_000), () => machine.host?.hangUp());
}

/** Faults end, everybody is started again, and people decide about what waits for them. */
function heal(world: World): void {
  world.trace(() => 'the world heals');
  world.faults = NO_FAULTS;
  world.network.heal();
  world.database.isUp = true;
  const decideForPeople = (): void => {
    for (const machine of world.machines) machine.startAgent();
    for (const job of world.database.all.jobs.values()) {
      const attempt = job.currentAttemptId === null ? undefined : world.database.all.attempts.get(job.currentAttemptId);
      const worker = attempt === undefined ? undefined : world.database.all.workers.get(attempt.workerId);
      if (worker?.link === 'unreachable') world.run({ type: 'abandon', jobId: job.id, actor: 'bob' });
    }
    world.after(30_000, decideForPeople);
  };
  world.after(15_000, decideForPeople);
}

function isQuiet(world: World): boolean {
  if (!world.areJobsFinal()) return false;
  return world.machines.every((machine) => (machine.isAbandoned ? machine.liveProcesses().length === 0 : machine.disk.size === 0));
}

function checkRest(world: World): void {
  if (isQuiet(world)) return;
  const jobs = [...world.database.all.jobs.values()].filter((job) => job.finishedMs === null).map((job) => `${job.id} ${job.status} ${job.reason}`);
  const disks = world.machines.map((machine) => `machine ${machine.index}${machine.isAbandoned ? ' (abandoned)' : ''}: ${[...machine.disk.keys()].join(' ') || 'empty'}`);
  throw new Violation('liveness', `not at rest: ${[...jobs, ...disks].join('; ')}`);
}
