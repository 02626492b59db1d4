/** What must be true once faults have ended and time has passed: everything is over, and nothing is held for ever. */
import type { Machine } from '../world/machine.js';
import { ENDLESS_MS } from '../world/process.js';
import type { World } from '../world/world.js';
import { Violation } from './violation.js';

/** All jobs final, no process alive, every directory of those who still have an agent gone, and every slot free again. */
export function isAtRest(world: World): boolean {
  return world.database.tables.areJobsFinal && world.machines.every((machine) => isEmpty(machine) && isServing(world, machine));
}

/** @throws Violation that names what is left */
export function checkRest(world: World): void {
  if (isAtRest(world)) return;
  const { tables } = world.database;
  const jobs = [...tables.jobs.values()].filter((job) => job.finishedMs === null).map((job) => `${job.id} ${job.status} ${job.reason} wanted ${job.desired}`);
  const machines = world.machines.filter((machine) => !isEmpty(machine) || !isServing(world, machine)).map((machine) => {
    const worker = tables.workers.get(machine.workerId);
    const words = `${[...machine.disk.keys()].join(' ') || 'empty'}, ${worker?.slotsUsable} of ${worker?.slots} slots, ${worker?.gpusHeld.length} GPUs held, ${worker?.link}, ${machine.host?.describe() ?? 'no agent'}`;
    return `machine ${machine.index}${machine.isAbandoned ? ' (abandoned)' : ''}: ${words}`;
  });
  throw new Violation('liveness', `not at rest: ${[...jobs, ...machines].join('; ')}`);
}

/** Where nobody looks after them any more, processes go on to their end if they have one, and frozen ones stay frozen. */
function isEmpty(machine: Machine): boolean {
  return machine.isAbandoned ? machine.livingProcesses().every((process) => process.isFrozen || process.plan.runMs === ENDLESS_MS) : machine.disk.size === 0 && machine.host?.isIdle === true;
}

/** A slot or a GPU that is not given back would be lost until the next restart. */
function isServing(world: World, machine: Machine): boolean {
  if (machine.isAbandoned) return true;
  const worker = world.database.tables.workers.get(machine.workerId);
  if (worker?.isRemoved === true) return true;
  return worker !== undefined && worker.maintenance === null && worker.slots === machine.slots && worker.slotsUsable === worker.slots && worker.gpusHeld.length === 0 && worker.link === 'connected' && !worker.isPaused;
}
