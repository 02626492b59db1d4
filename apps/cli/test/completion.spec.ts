import { spawnSync } from 'node:child_process';
import { CATALOG } from '../src/catalog.js';
import { completionScript } from '../src/completion-script.js';
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
  ])('after %j are %j', (words, expected) => {
    expect(offered(...words)).toEqual(expected);
  });

  it('name every command in every shell', async () => {
    const program = await buildProgram(CATALOG, () => undefined);
    for (const shell of ['zsh', 'fish'] as const) for (const { name } of CATALOG) expect(completionScript(program, shell)).toContain(name);
  });
});
