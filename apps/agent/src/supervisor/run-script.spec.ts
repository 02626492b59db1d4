import { execFileSync } from 'node:child_process';
import { complaintAbout, quote, toRunScript } from './run-script.js';

const plan = {
  setsidPath: '/usr/bin/setsid',
  newSessionPath: null,
  envPath: '/usr/bin/env',
  cwd: '/work',
  env: {},
  command: ['/bin/prog'] as [string],
};

describe('the run script', () => {
  it('becomes the program in a session of its own', () => {
    expect(toRunScript(plan).toString()).toBe('cd /work || exit 126\nunset OLDPWD\nexec /usr/bin/setsid /bin/prog\n');
  });

  it('prefers the smaller program for that while it is there, and where it can tell what goes wrong', () => {
    const small = { ...plan, newSessionPath: '/state/new-session' };
    expect(toRunScript(small).toString().split('\n').slice(2)).toEqual([
      'set -- /bin/prog',
      '[ ! -x /state/new-session ] || exec /state/new-session /usr/bin/env "$@"',
      'exec /usr/bin/setsid "$@"',
      '',
    ]);
    const text = toRunScript({ ...small, command: ['/a=b/prog', 'c=d'] }).toString();
    expect(text.split('\n').slice(2)).toEqual(['exec /usr/bin/setsid /a=b/prog c=d', '']);
  });

  it('exports what a shell can export and hands the rest over through env', () => {
    const text = toRunScript({
      ...plan,
      env: { A: '1', 'b-c': '2', OPTIND: '3', _h_d: '4', LD_PRELOAD: 'x', IFS: '' },
    }).toString();

    expect(text.split('\n').slice(0, 2)).toEqual(['export A=1', 'cd /work || exit 126']);
    expect(text).toMatch('exec /usr/bin/setsid /usr/bin/env b-c=2 OPTIND=3 _h_d=4 LD_PRELOAD=x IFS= /bin/prog\n');
  });

  it('puts wrapper, prologue and streams where they work', () => {
    const text = toRunScript({
      ...plan,
      prologue: ['exec 3>x'],
      wrapper: ['/usr/bin/bwrap', '--'],
      streams: { stdout: '/a b/out', stderr: '/err' },
    }).toString();

    expect(text.startsWith('exec 3>x\n')).toBe(true);
    expect(text).toMatch("exec >>'/a b/out' 2>>/err\nexec /usr/bin/setsid /usr/bin/bwrap -- /bin/prog\n");
  });
});

describe('quoting', () => {
  it('gives back every character when a shell reads it', () => {
    const all = Array.from({ length: 255 }, (_, index) => String.fromCodePoint(index + 1)).join('');
    for (const text of [all, '', "'", "''", "a'b", '$(x)', '\\', '\n\n', '~', '*', 'é🌱']) {
      const read = execFileSync('/bin/sh', ['-c', `printf %s ${quote(text)}; printf .`], { encoding: 'utf8' });
      expect(read).toBe(`${text}.`);
    }
  });
});

describe('a complaint about a command', () => {
  const limits = { argumentBytesMax: 10, commandLineBytesMax: 30 };
  const table: [string, string[], Record<string, string>, string | null][] = [
    ['what fits', ['/bin/true', 'a'], { A: 'b' }, null],
    [
      'a NUL byte in an argument',
      ['/bin/true', 'a\0'],
      {},
      'Argument 1 holds a NUL byte, which no program can be given.',
    ],
    ['a NUL byte in the program', ['a\0'], {}, 'The program name holds a NUL byte, which no program can be given.'],
    ['a NUL byte in a value', ['a'], { A: '\0' }, 'The variable A holds a NUL byte, which no program can be given.'],
    [
      'a long argument',
      ['a', '12345678901'],
      {},
      'Argument 1 is 11 bytes long; the longest a program can be given is 10.',
    ],
    [
      'bytes, not characters',
      ['a', 'ééééé1'],
      {},
      'Argument 1 is 11 bytes long; the longest a program can be given is 10.',
    ],
    [
      'a long variable',
      ['a'],
      { NAME: '123456' },
      'The variable NAME is 11 bytes long; the longest a program can be given is 10.',
    ],
    ['a name with an equals sign', ['a'], { 'A=B': '' }, 'The variable name "A=B" is empty or holds an equals sign.'],
    ['an empty name', ['a'], { '': 'x' }, 'The variable name "" is empty or holds an equals sign.'],
    [
      'too much in all',
      ['a', '1234567890', '1234567890', '1234567890'],
      {},
      'Arguments and variables together are 35 bytes; at most 30 can be passed to a program.',
    ],
  ];
  it.each(table)('names %s', (_what, command, env, complaint) => {
    expect(complaintAbout(command, env, limits)).toBe(complaint);
  });
});
