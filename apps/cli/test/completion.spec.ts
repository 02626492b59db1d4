import { spawnSync } from 'node:child_process';
import { CATALOG } from '../src/catalog.js';
import { placesIn } from '../src/completion/places.js';
import { completionScript } from '../src/completion/script.js';
import { buildProgram } from '../src/program.js';

describe('words completed with Tab', () => {
  let script: string;
  beforeAll(async () => {
    script = completionScript(await buildProgram(CATALOG, () => undefined), 'bash');
  });

  /** What a shell offers after these words, the last of which is being typed. */
  function offered(...words: string[]): string[] {
    const typed = `COMP_WORDS=(muster ${words.map((word) => `'${word}'`).join(' ')}) COMP_CWORD=${words.length}`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', `${script}\n${typed}\n_muster\nprintf '%s\\n' "\${COMPREPLY[@]}"`], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout.split('\n').filter((word) => word !== '');
  }

  it.each([
    [['work'], ['workers', 'worker']],
    [['unc'], ['uncordon']],
    [['worker', 're'], ['rename', 'remove']],
    [['--no-color', 'worker', 'set', '--sl'], ['--slots']],
    [['drain', 'lab-3', '--p'], ['--policy']],
    [['nonsense', 'worker', 'sho'], ['show']],
    [['drain', 'lab-3', '--policy', ''], ['wait', 'checkpoint', 'requeue']],
    [['ps', '--key-file', ''], []],
  ])('after %j are %j', (words, expected) => {
    expect(offered(...words)).toEqual(expected);
  });

  it('name every command and every option in every shell', async () => {
    const program = await buildProgram(CATALOG, () => undefined);
    const options = placesIn(program).flatMap((place) => place.options.map(({ long }) => long.slice(2)));
    for (const shell of ['bash', 'zsh', 'fish'] as const) {
      const text = completionScript(program, shell);
      const missing = [...CATALOG.map(({ name }) => name), ...options].filter((word) => !text.includes(word));
      expect({ shell, missing }).toEqual({ shell, missing: [] });
    }
  });

  it('have no files among them but where a file may be named, in fish', async () => {
    const lines = completionScript(await buildProgram(CATALOG, () => undefined), 'fish').split('\n');
    expect(lines).toContain('complete -c muster -f');
    expect(lines.filter((line) => line.endsWith(' -F'))).toEqual(['run', 'submit'].map((path) => `complete -c muster -n '__muster_at "${path}"' -F`));
    expect(lines.find((line) => line.includes('__muster_at "ps"') && line.includes('-l key-file'))).toContain('-r -F');
  });

  it('begin the completion of zsh where nobody has begun it', async () => {
    const script = completionScript(await buildProgram(CATALOG, () => undefined), 'zsh');
    expect(script.indexOf('compinit }')).toBeLessThan(script.indexOf('bashcompinit'));
    expect(script.split('\n')[0]).toContain('$+functions[compdef]');
  });

  // The shells themselves, on machines that have them: what is said above of their scripts is shown to be so.
  const calls = { zsh: zshOffers, fish: fishOffers };
  const present = (['zsh', 'fish'] as const).filter((shell) => spawnSync(shell, ['--version']).status === 0);
  for (const shell of present) {
    it(`are offered by ${shell} itself`, async () => {
      const text = completionScript(await buildProgram(CATALOG, () => undefined), shell);
      expect(calls[shell](text, ['worker', 'sh'])).toContain('show');
      expect(calls[shell](text, ['drain', 'lab-3', '--policy', '']).sort()).toEqual(['checkpoint', 'requeue', 'wait']);
      expect(calls[shell](text, ['keys', 'enrolment', ''])).toEqual(expect.arrayContaining(['create', 'revoke']));
      expect(calls[shell](text, ['keys', 'enrolment', ''])).not.toContain('rotate');
    });
  }
});

function run(shell: string, script: string, ...options: string[]): string[] {
  const { stdout, stderr } = spawnSync(shell, [...options, '-c', script], { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: '/nonexistent', TERM: 'dumb' } });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((word) => word !== '');
}

/**
 * What its bash-like completion finds. The list is not narrowed to the word that is being typed: zsh
 * does that later. That a completion was begun already is pretended, because to begin one takes seconds.
 */
function zshOffers(script: string, words: readonly string[]): string[] {
  const typed = `COMP_WORDS=(muster ${words.map((word) => `'${word}'`).join(' ')}) COMP_CWORD=${words.length}`;
  return run('zsh', `compdef() { : }\n${script}\nsetopt ksh_arrays sh_word_split\n${typed}\n_muster\nprint -rl -- "\${COMPREPLY[@]}"`, '-f');
}

function fishOffers(script: string, words: readonly string[]): string[] {
  return run('fish', `${script}\ncomplete -C '${['muster', ...words].join(' ')}'`, '--no-config').map((line) => line.split('\t')[0] ?? '');
}
