import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AGENT_MUTANTS, SHELL_MUTANTS } from './agent-mutants.js';
import { hunt } from './hunt.js';
import { loadMutant, loadSimulation } from './load-mutant.js';
import { EQUIVALENT_MUTANTS, SERVER_MUTANTS } from './server-mutants.js';

const LIBS = resolve(__dirname, '../../../..');
/** They say what there is. */
const DECIDES_NOTHING = ['server/commands.ts', 'server/decision.ts', 'agent/effects.ts', 'agent/events.ts', 'agent/state.ts'];
const named = <T extends { readonly name: string }>(mutants: readonly T[]): [string, T][] => mutants.map((mutant) => [mutant.name, mutant]);

describe('the simulator', () => {
  test.each(named([...SERVER_MUTANTS, ...AGENT_MUTANTS, ...SHELL_MUTANTS]))('notices when %s', async (name, mutant) => {
    const caught = hunt(mutant, await loadSimulation(mutant, LIBS));
    if (process.env['SIM_VERBOSE'] !== undefined) process.stdout.write(`${name}: ${caught?.schedules ?? 'never'} schedules, seed ${caught?.seed}, ${caught?.violation}\n`);
    expect(caught).not.toBeNull();
  }, 300_000);

  test.each(named(EQUIVALENT_MUTANTS))('knows that it does not matter when %s', async (_name, mutant) => {
    expect(hunt(mutant, await loadSimulation(mutant, LIBS))).toBeNull();
  }, 300_000);
});

describe('every file that decides something', () => {
  const files = ['server', 'agent'].flatMap((folder) => readdirSync(join(LIBS, 'domain/src', folder)).map((file) => `${folder}/${file}`));
  const broken = new Set([...SERVER_MUTANTS, ...AGENT_MUTANTS].flatMap(({ patches = [] }) => patches.map(({ file }) => file)));

  test('is broken by some mutant', () => {
    expect(files.filter((file) => !broken.has(file) && !DECIDES_NOTHING.includes(file))).toEqual([]);
  });
});

describe('a mutant', () => {
  test('whose text is not there any more is refused', async () => {
    const patches = [{ file: 'claim.ts', find: 'nobody wrote this', replace: '' }];
    await expect(loadMutant({ patches }, LIBS)).rejects.toThrow('stands 0 times in claim.ts');
  });

  test('of a file that is not there is refused', async () => {
    const patches = [{ file: 'no-such.ts', find: 'x', replace: '' }];
    await expect(loadMutant({ patches }, LIBS)).rejects.toThrow('no-such.ts, which is not there');
  });
});
