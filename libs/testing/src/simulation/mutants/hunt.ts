/** How many schedules it takes until a mutant is noticed. */
import type { Settings } from '../settings/settings.js';
import type { Simulation } from './load-mutant.js';
import type { Mutant } from './mutant.js';

export interface Catch {
  readonly seed: number;
  readonly schedules: number;
  readonly violation: string;
}

/** Null when it survives its budget. */
export function hunt(mutant: Mutant, { runSchedule, PRODUCT }: Simulation): Catch | null {
  const { firstSeed = 1, shape = (settings: Settings): Settings => settings } = mutant;
  // Where no mutant asks for programs over REST there are none: what each of them takes was found among agents.
  const among = (settings: Settings): Settings => shape({ ...settings, httpShare: 0 });
  const reducers = { ...PRODUCT, shell: { ...PRODUCT.shell, ...mutant.shell } };
  for (let schedules = 1; schedules <= mutant.budget; schedules++) {
    const seed = firstSeed + schedules - 1;
    const { violation } = runSchedule(seed, mutant.profile, { reducers, shape: among });
    if (violation !== null) return { seed, schedules, violation };
  }
  return null;
}
