import type { Direction, FaultProxy } from '@muster/testing';
import type { PlannedFault } from '../plan.js';
import { runningJobs } from '../../src/agent-state.js';
import { busyAgents } from './agents.js';
import { everyWorker, type FaultOf, type FaultTools } from './fault.js';

/** What is done to one wire, and undone where it lasts; null when it came to nothing. */
type WireStrike = (wire: FaultProxy, fault: PlannedFault, wait: FaultTools['wait']) => Promise<string | null>;

/** Wires that carry something, of agents with a job and of replicas while any agent has one. */
const onWires =
  (strike: WireStrike): FaultOf =>
  (tools, fault) => {
    const { site, wait } = tools;
    const agents = site.agents
      .filter(({ attemptsDir, wire }) => wire.connections.length > 0 && runningJobs(attemptsDir).length > 0)
      .map(({ name, wire }) => ({ name: `wire of agent ${name}`, wire, workers: [name] }));
    const replicas = site.replicas
      .filter(({ wire }) => wire.connections.length > 0 && busyAgents(tools).length > 0)
      .map(({ part, wire }) => ({ name: `wire of ${part.name} to the database`, wire, workers: everyWorker(site) }));
    return [...agents, ...replicas].map(({ name, wire, workers }) => ({
      name,
      holds: [name],
      workers,
      strike: () => strike(wire, fault, wait),
    }));
  };

/** Also which way: the two halves of a variant. */
const directionOf = ({ variant }: PlannedFault): Direction => ((variant * 10) % 1 < 0.5 ? 'toServer' : 'toClient');

export const wireSlow = onWires(async (wire, fault, wait) => {
  const direction = directionOf(fault);
  const shape =
    fault.variant < 0.6
      ? { delayMs: Math.round(20 + fault.victim * 400), jitterMs: Math.round(fault.variant * 500) }
      : { bytesPerSecond: Math.round(2_000 + fault.victim * 60_000) };
  wire.shape(direction, shape);
  await wait(fault.lengthMs);
  wire.heal();
  return `${JSON.stringify(shape)} ${direction} for ${fault.lengthMs} ms`;
});

export const wireCut = onWires(async (wire, fault, wait) => {
  const direction = directionOf(fault);
  if (fault.variant > 0.75) {
    const end = direction === 'toServer' ? 'client' : 'server';
    wire.halfOpen(end);
    return `half open: only the ${end} was told`;
  }
  const directions: readonly Direction[] = fault.variant < 0.25 ? ['toServer', 'toClient'] : [direction];
  for (const one of directions) wire.shape(one, { isCut: true });
  await wait(fault.lengthMs);
  wire.heal();
  return `cut ${directions.join(' and ')} for ${fault.lengthMs} ms`;
});

/** Whatever has not said so much within this time will not be reset any more. */
const RESET_WITHIN_MS = 4_000;
const RESET_LOOK_MS = 100;
const RESET_BYTES_MAX = 2_000;

export const wireReset = onWires(async (wire, fault, wait) => {
  if (fault.variant < 0.5) {
    wire.reset();
    return 'reset';
  }
  const direction = directionOf(fault);
  const bytes = Math.round(fault.victim * RESET_BYTES_MAX);
  const { connections } = wire;
  const isReset = (): boolean => connections.some(({ wasReset }) => wasReset);
  wire.resetAfter(direction, bytes);
  for (let waited = 0; waited < RESET_WITHIN_MS && !isReset(); waited += RESET_LOOK_MS) await wait(RESET_LOOK_MS);
  wire.heal();
  return isReset() ? `reset after ${bytes} bytes ${direction}` : null;
});
