import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT, commands, readPage } from './markdown.js';

const PAGES = ['README.md', 'CONTRIBUTING.md', 'examples/README.md'];
const MUSTER = path.join(ROOT, 'apps/cli/bin/muster.mjs');
/** Commands that only hold others. */
const GROUPS = ['keys', 'keys enrolment', 'context', 'agent'];
const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

const found = PAGES.flatMap((page) => commands(readPage(page)).map((command) => ({ page, command })));
/** `A=b npm start` → `npm start`: what stands before the program is its environment. */
const program = (command: string): string => command.replace(/^(?:[A-Z_]+=\S+ )+/, '');
const startingWith = (prefix: string) =>
  found.map((one) => ({ ...one, command: program(one.command) })).filter(({ command }) => command.startsWith(prefix));

async function help(...verb: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: ROOT, NO_COLOR: '1' };
  const { stdout } = await promisify(execFile)(process.execPath, [MUSTER, ...verb, '--help'], { env });
  return stdout;
}

/** The verb of `npx muster keys create --role worker`, and its options up to `--`. */
function partsOf(command: string): { verb: string[]; options: string[] } {
  const words = command.split(' ').slice(2);
  const own = words.includes('--') ? words.slice(0, words.indexOf('--')) : words;
  const firstOption = own.findIndex((word) => word.startsWith('-'));
  const verbs = firstOption === -1 ? own : own.slice(0, firstOption);
  const verb = verbs.slice(0, 1);
  while (GROUPS.includes(verb.join(' ')) && verb.length < verbs.length) verb.push(verbs[verb.length] ?? '');
  return { verb, options: own.filter((word) => word.startsWith('-')).map((word) => word.replace(/=.*/, '')) };
}

describe('the commands that the documents tell people to type', () => {
  it('are all of a kind that is checked here', () => {
    const checked =
      /^(npm (start|test|install|run \S+)|npx (muster|jest)|node|git clone|cd|echo|docker compose|curl)\b/;
    expect(found.map(({ command }) => program(command)).filter((command) => !checked.test(command))).toEqual([]);
  });

  it.each(startingWith('npm run '))('$page: the script of "$command" exists', ({ command }) => {
    expect(scripts).toHaveProperty([command.split(' ')[2] ?? '']);
  });

  it('npm start and npm test exist', () => {
    expect(scripts).toMatchObject({ start: expect.any(String), test: expect.any(String) });
  });

  it.each(startingWith('node '))('$page: the program of "$command" exists', ({ command }) => {
    const file = command.split(' ').find((word) => /\.m?js$/.test(word)) ?? '';
    // What is built stands in dist; its source is what has to exist.
    const source = file.replace('/dist/', '/src/').replace(/\.js$/, file.includes('/dist/') ? '.ts' : '.js');
    expect(existsSync(path.join(ROOT, source))).toBe(true);
  });

  it('muster tells its version and lists its commands', async () => {
    expect(await help()).toMatch(/Usage: muster/);
  }, 60_000);

  it.each(startingWith('npx muster '))(
    '$page: muster knows the command and the options of "$command"',
    async ({ command }) => {
      const { verb, options } = partsOf(command);
      const text = await help(...verb);
      expect(text).toContain(`Usage: muster ${verb.join(' ')}`.trimEnd());
      for (const option of options) expect(text).toMatch(new RegExp(`(^|[\\s,])${option}\\b`, 'm'));
    },
    60_000,
  );
});
