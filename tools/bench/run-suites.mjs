// Runs suites one after the other, prints each report and writes it as JSON.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { conditionsOf, loadNow } from './report/conditions.mjs';
import { reportOf } from './report/table.mjs';
import { sizesOf } from './sizes.mjs';
import { openStack } from './stack/bench-stack.mjs';

/** Loaded when needed, so that a suite costs nothing to the others. */
const LOADERS = {
  core: async () => (await import('./suites/core.mjs')).core,
  logs: async () => (await import('./suites/logs.mjs')).logs,
  fleet: async () => (await import('./suites/fleet.mjs')).fleet,
  scale: async () => (await import('./suites/scale.mjs')).scale,
  footprint: async () => (await import('./suites/footprint.mjs')).footprint,
};

/**
 * @param {{ suites: readonly string[], mode: string, isProfiled: boolean, json: string | undefined, folder: string }} options
 */
export async function runSuites({ suites, mode, isProfiled, json, folder }) {
  const stacks = new Stacks(mode === 'smoke');
  const results = [];
  const name = `${suites.length > 1 ? 'all' : suites[0]}${mode === 'full' ? '' : `-${mode}`}`;
  const file = json === undefined ? join(folder, `${name}.json`) : resolve(json);
  mkdirSync(dirname(file), { recursive: true });
  // Whoever stops us in the middle, also twice, must not leave a database behind.
  const stop = () => void stacks.close().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal).on(signal, stop);
  try {
    for (const suite of suites) {
      const work = await LOADERS[suite]();
      results.push(
        await runSuite({ suite, work, mode, isProfiled, stacks, attachments: join(dirname(file), `${name}-${suite}`) }),
      );
      writeFileSync(file, `${JSON.stringify(suites.length > 1 ? results : results[0], null, 2)}\n`);
    }
  } finally {
    await stacks.close();
  }
  console.log(`\nWritten to ${file}`);
  return results;
}

async function runSuite({ suite, work, mode, isProfiled, stacks, attachments }) {
  const begunAt = new Date();
  const loadBefore = loadNow();
  const say = (text) => process.stderr.write(`  ${suite}: ${text} …\n`);
  const bench = {
    mode,
    isProfiled,
    sizes: sizesOf(suite, mode),
    say,
    /** A fresh stack with nothing in it; in a smoke run the one that all suites share. */
    stack: (options) => stacks.open({ ...options, say }),
    attachments: () => {
      mkdirSync(attachments, { recursive: true });
      return attachments;
    },
  };
  const { sections, details = {} } = await work(bench);
  await breathe();
  const stack = stacks.current;
  const conditions = stack === undefined ? {} : await conditionsOf(stack);
  const load = `load average ${loadBefore.toFixed(1)} before, ${loadNow().toFixed(1)} after`;
  const result = {
    suite,
    mode,
    begunAt: begunAt.toISOString(),
    seconds: (Date.now() - begunAt) / 1000,
    conditions: { ...conditions, load },
    sections,
    details,
  };
  const told = Object.entries(result.conditions).map(([key, text]) => `${key}: ${text}`);
  console.log(
    [
      '',
      ...reportOf({ suite: `${suite} (${mode}, ${result.seconds.toFixed(0)} s)`, conditions: told, sections }),
      '',
    ].join('\n'),
  );
  return result;
}

/** One stack at a time: a second one would be measured too. A smoke run shares it, because starting takes most of its time. */
class Stacks {
  current;
  #opening;
  #closing;

  constructor(isShared) {
    this.isShared = isShared;
  }

  async open(options) {
    const wanted = this.isShared
      ? { slots: 8, withProbe: true }
      : { slots: options.slots, withProbe: options.withProbe ?? false, isProfiled: options.isProfiled ?? false };
    await this.close();
    this.#opening = openStack({ ...wanted, say: options.say });
    this.current = await this.#opening;
    return this.current;
  }

  /** Also a stack that is just being started. A second call waits for the first. */
  close() {
    this.#closing ??= this.#closeNow().finally(() => (this.#closing = undefined));
    return this.#closing;
  }

  async #closeNow() {
    const stack = await this.#opening?.catch(() => undefined);
    this.#opening = undefined;
    this.current = undefined;
    await stack?.close();
  }
}
