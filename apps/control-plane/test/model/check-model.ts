import fc from 'fast-check';
import { AGENTS } from './agents.js';
import { commandOf, counts } from './command.js';
import { compare } from './compare.js';
import { Model } from './model.js';
import { OPERATORS } from './operators.js';
import { PEOPLE } from './people.js';
import { SURROUNDINGS } from './surroundings.js';
import { World } from './world.js';

/** Drawn for a run; about half of them cannot happen where they stand, and are left out. */
const COMMANDS_MAX = 120;
/** Every answer is checked at once, and after so many commands everything; after each of them once a run has diverged. */
const LOOK_EVERY = 5;
/** The workers of every run. */
const SEATS = [{ slots: 1, gpus: [0] }, { slots: 2, gpus: [0, 1] }];

export const DEEDS = { ...PEOPLE, ...OPERATORS, ...AGENTS, ...SURROUNDINGS };

export interface ModelCheck {
  /** At most. */
  readonly runs: number;
  /** No run begins after this, once as much was done as `FLOOR` demands. */
  readonly seconds: number;
}

/** With less than this the check has shown nothing, however slow the machine; a replay of one sequence is exempt. */
const FLOOR = { runs: 12, commands: 200 };

/**
 * Random sequences of commands, each run on an emptied database. A divergence is shrunk to the fewest commands that show
 * it, and told with what brings it back: the seed, the path and the replay path (`MODEL_SEED`, `MODEL_PATH`, `MODEL_REPLAY`).
 * Prints what was done.
 */
export async function checkModel({ runs, seconds }: ModelCheck): Promise<void> {
  const world = await World.open();
  const begunMs = performance.now();
  const begunCpu = process.cpuUsage();
  const isReplay = process.env.MODEL_PATH !== undefined;
  let done = 0;
  let hasFailed = false;
  try {
    const property = fc.asyncProperty(sequences(), async (commands) => {
      // A run is never left half-way, and a divergence is shrunk however long that takes.
      if (!hasFailed && isEnough(done) && performance.now() - begunMs > seconds * 1_000) return;
      try {
        await checkRun(world, commands, hasFailed || isReplay ? 1 : LOOK_EVERY);
        done += 1;
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    });
    await fc.assert(property, { numRuns: runs, unbiased: true, ...replay() });
    // A path without its replay path leads nowhere, which must not pass for a success.
    expect({ done, commands: commandsDone(), isEnough: isReplay ? done > 0 : isEnough(done) }).toMatchObject({ isEnough: true });
  } finally {
    await world.close();
    const total = commandsDone();
    const cpuMs = Math.round(process.cpuUsage(begunCpu).user / 1_000);
    const what = JSON.stringify(Object.fromEntries([...counts].sort()));
    process.stdout.write(`model: ${done} runs, ${total} commands, ${Math.round(performance.now() - begunMs)} ms (${cpuMs} ms of them computing) ${what}\n`);
  }
}

function isEnough(runs: number): boolean {
  return runs >= FLOOR.runs && commandsDone() >= FLOOR.commands;
}

function commandsDone(): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

async function checkRun(world: World, commands: Iterable<fc.AsyncCommand<Model, World>>, lookEvery: number): Promise<void> {
  const model = new Model(SEATS, lookEvery);
  await world.reset(model.workers);
  await fc.asyncModelRun(() => ({ model, real: world }), commands);
  await compare(model, world, 'everything');
}

function sequences(): fc.Arbitrary<Iterable<fc.AsyncCommand<Model, World>>> {
  const deeds = Object.entries(DEEDS).map(([name, deed]) => commandOf(name, deed as Parameters<typeof commandOf>[1]));
  const { MODEL_REPLAY: replayPath } = process.env;
  return fc.commands([fc.oneof(...deeds)], { maxCommands: COMMANDS_MAX, size: 'max', ...(replayPath === undefined ? {} : { replayPath }) });
}

function replay(): { readonly seed?: number; readonly path?: string } {
  const { MODEL_SEED: seed, MODEL_PATH: path } = process.env;
  return { ...(seed === undefined ? {} : { seed: Number(seed) }), ...(path === undefined ? {} : { path }) };
}
