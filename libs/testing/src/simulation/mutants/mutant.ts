/** A mutant: the product with one rule broken, in its own text where it is a decision, in the simulated shell where it is not. */
import type { Profile, Shape } from '../settings/settings.js';
import type { ShellRules } from '../world/reducers.js';

/** One change of the product's text. It must fit in exactly one place, or the mutant is out of date and says so. */
export interface Patch {
  /** Below libs/domain/src. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  /** What it does wrong. */
  readonly name: string;
  readonly profile: Profile;
  readonly patches?: readonly Patch[];
  readonly shell?: Partial<ShellRules>;
  /** The trouble it takes to show, where chance brings that too seldom. */
  readonly shape?: Shape;
  /** The first seed to try: spares the rare ones a long search. */
  readonly firstSeed?: number;
  /** Schedules it may survive from there. */
  readonly budget: number;
}
