/** The decisions, or a whole simulation, that come of the product's text with a rule broken in it. */
import { bundle, runOutside } from '../bundle.js';
import type { runSchedule } from '../schedule.js';
import { PRODUCT_SHELL } from '../world/reducers.js';
import type { Decisions, Reducers } from '../world/reducers.js';
import type { Mutant } from './mutant.js';

/** A simulation of its own, whose product is the mutant. */
export interface Simulation {
  readonly runSchedule: typeof runSchedule;
  readonly PRODUCT: Reducers;
}

/** For schedules by the hundred: it runs outside Jest's sandbox. */
export async function loadSimulation({ patches = [] }: Pick<Mutant, 'patches'>, libsFolder: string): Promise<Simulation> {
  return runOutside<Simulation>(await bundle('testing/src/simulation/mutants/simulation.ts', libsFolder, patches));
}

/**
 * For a world that is arranged by hand, in this realm: what the mutant makes must be of the same kind as what the checks
 * compare it with.
 *
 * @param libsFolder where `domain` and `protocol` lie
 * @throws when a patch does not fit in exactly one place
 */
export async function loadMutant({ patches = [], shell }: Pick<Mutant, 'patches' | 'shell'>, libsFolder: string): Promise<Reducers> {
  return { ...evaluate(await bundle('domain/src/index.ts', libsFolder, patches)), shell: { ...PRODUCT_SHELL, ...shell } };
}

function evaluate(code: string): Decisions {
  const module: { exports: Partial<Decisions> } = { exports: {} };
  new Function('module', 'exports', code)(module, module.exports);
  const { serverStep, decideClaim, agentStep, startAgent, nextWakeMs, onLogChunk, factsNeeded, newInstanceId } = module.exports;
  if (!serverStep || !decideClaim || !agentStep || !startAgent || !nextWakeMs || !onLogChunk || !factsNeeded || !newInstanceId) {
    throw new Error('The mutant lacks a decision.');
  }
  return { serverStep, decideClaim, agentStep, startAgent, nextWakeMs, onLogChunk, factsNeeded, newInstanceId };
}
