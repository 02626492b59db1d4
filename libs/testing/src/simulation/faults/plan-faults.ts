/** Faults that come of themselves, at times that only chance knows; those at step boundaries are drawn where the steps are. */
import { NO_FAULTS } from '../settings/faults.js';
import { Random } from '../world/random.js';
import type { World } from '../world/world.js';

/** Plans them until the world heals. */
export function planFaults(world: World): void {
  const { faults, settings } = world;
  const random = new Random(settings.seed ^ 0x3c6ef372);
  const every = (meanMs: number | null, run: () => void): void => {
    if (meanMs === null) return;
    world.after(random.between(0.2, 1.8) * meanMs, () => {
      if (world.faults === NO_FAULTS) return;
      run();
      every(meanMs, run);
    });
  };
  every(faults.partitionEveryMs, () => partition(world, random));
  every(faults.rebootEveryMs, () => random.pick(world.machines).reboot());
  every(faults.plannedStopEveryMs, () => stopAgent(world, random));
  every(faults.clockStepEveryMs, () => stepClock(world, random));
  every(faults.outageEveryMs, () => outage(world, random));
  every(faults.wardenDeathEveryMs, () => killWarden(world, random));
  every(faults.supervisorDeathEveryMs, () => killSupervisor(world, random));
  every(faults.diskFullEveryMs, () => fillDisk(world, random));
  if (faults.isUsurped) world.after(random.between(0.15, 1) * settings.faultyMs, () => world.usurp(random.pick(world.machines)));
  if (faults.isDiskCopied) world.after(random.between(0, 0.7) * settings.faultyMs, () => world.copyDiskOf(random.pick(world.machines)));
}

/** Between one machine and one replica or all, one way or both. The agent's socket may notice, or hang on. */
function partition(world: World, random: Random): void {
  const machine = random.pick(world.machines);
  const forMs = random.chance(0.5) ? random.between(...world.settings.longAbsenceMs) : random.between(500, 10_000);
  const replicas = random.chance(0.7) ? world.replicas : [random.pick(world.replicas)];
  const directions = random.pick([['up'], ['down'], ['up', 'down']] as const);
  world.count(directions.length === 1 ? 'one-way partitions' : 'two-way partitions');
  for (const replica of replicas) for (const direction of directions) world.network.cut(machine.index, replica.index, direction, forMs);
  const notices = random.chance(0.7);
  const afterMs = random.between(500, 8_000);
  if (notices) world.after(afterMs, () => machine.host?.drop());
}

function stopAgent(world: World, random: Random): void {
  const keepJobs = random.chance(0.5);
  world.count(keepJobs ? 'agent stops, jobs kept' : 'agent stops with its jobs');
  random.pick(world.machines).host?.post({ type: 'stopAsked', keepJobs });
}

/** Up to a second forth or back, and never more than a second within one lease: that much is promised. */
function stepClock(world: World, random: Random): void {
  world.count('clock steps');
  world.database.clockOffsetMs = random.between(-500, 500);
}

function outage(world: World, random: Random): void {
  world.count('database outages');
  world.database.isUp = false;
  world.after(random.between(100, 8_000), () => {
    world.database.isUp = true;
  });
}

function killWarden(world: World, random: Random): void {
  world.count('warden deaths');
  random.pick(world.machines).isWardenAlive = false;
}

function killSupervisor(world: World, random: Random): void {
  const machine = random.pick(world.machines);
  const running = [...machine.disk.values()].filter(({ process }) => process !== null && process.endedMs === null);
  if (running.length === 0) return;
  world.count('supervisor deaths');
  machine.endProcess(random.pick(running), 'lost');
}

function fillDisk(world: World, random: Random): void {
  world.count('full disks');
  const machine = random.pick(world.machines);
  machine.object('diskFloor');
  world.after(random.between(0.01, 0.2) * world.settings.faultyMs, () => machine.object(null));
}
