/** A command is something that happens, done to the model and to the real thing; what is answered must be what the model expects. */
import type fc from 'fast-check';
import { compare } from './compare.js';
import type { Model } from './model.js';
import type { World } from './world.js';

export interface Deed<Args> {
  readonly args: fc.Arbitrary<Args>;
  /** How often, beside the others; in tenths at least. */
  readonly weight: number;
  /** Whether it can happen now; one that cannot is left out of the run. */
  can(model: Model, args: Args): boolean;
  /** Does it to both and holds what was answered against what the model expects. */
  perform(model: Model, world: World, args: Args): Promise<void>;
}

/** How often each command was carried out in this process. */
export const counts = new Map<string, number>();

class Command<Args> implements fc.AsyncCommand<Model, World> {
  constructor(
    private readonly name: string,
    private readonly deed: Deed<Args>,
    private readonly args: Args,
  ) {}

  check(model: Readonly<Model>): boolean {
    return this.deed.can(model as Model, this.args);
  }

  async run(model: Model, world: World): Promise<void> {
    counts.set(this.name, (counts.get(this.name) ?? 0) + 1);
    await this.deed.perform(model, world, this.args);
    if (model.isLookedAt()) await compare(model, world, 'changes');
  }

  toString(): string {
    return `${this.name}(${JSON.stringify(this.args)})`;
  }
}

/** As fast-check wants it; the arguments of one deed are known to nobody else. */
export function commandOf<Args>(name: string, deed: Deed<Args>): fc.WeightedArbitrary<fc.AsyncCommand<Model, World>> {
  return { weight: Math.round(deed.weight * 10), arbitrary: deed.args.map((args) => new Command(name, deed, args)) };
}

/** One of a list that may be empty, by a number that knows nothing of its length. */
export function pick<T>(list: readonly T[], number: number): T | undefined {
  return list[number % Math.max(1, list.length)];
}
