import { runCli } from '../src/cli.js';

/** One command line in this process: what it says and how it ends. None of these gets as far as a control plane. */
async function said(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const pieces: Record<'stdout' | 'stderr', string> = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    jest.spyOn(process[name], 'write').mockImplementation((piece) => {
      pieces[name] += String(piece);
      return true;
    }),
  );
  try {
    const code = await runCli(words);
    return { code, ...pieces };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

const nextOf = (stderr: string): string | undefined => /^ {2}Next: (?:npx )?(.*)$/m.exec(stderr)?.[1];

describe('words that make no sense', () => {
  it.each([
    [['worker', 'set', 'lab-3', '--slots', '-3'], 'muster worker set --help'],
    [['worker', 'set', 'lab-3', '--slot', '3'], 'muster worker set --help'],
    [['keys', 'create'], 'muster keys create --help'],
    [['keys', 'enrolment', 'revoke'], 'muster keys enrolment revoke --help'],
    [['keys', 'enrolment', 'crate'], 'muster keys enrolment --help'],
    [['completion', 'tcsh'], 'muster completion --help'],
    [['logs'], 'muster logs --help'],
    [['--json-lines', 'ps'], 'muster --help'],
  ])('%j point at the help of the very command that refused them', async (words, next) => {
    const { code, stderr } = await said(...words);
    expect({ code, next: nextOf(stderr) }).toEqual({ code: 2, next });
  });

  it.each([
    ['status', 'muster ps for jobs, muster workers for machines'],
    ['kill', 'muster cancel --force <job>'],
    ['doctor', 'muster agent doctor'],
    ['top', expect.stringMatching(/^(npx )?muster ps -w for jobs/)],
  ])('known from other tools (%s) are answered with ours', async (word, next) => {
    const { code, stderr } = await said(word, 'x');
    expect({ code, next: nextOf(stderr)?.replaceAll('npx ', '') }).toEqual({ code: 2, next });
  });

  it('that lack the -- before a command to submit are shown with it', async () => {
    const { stderr } = await said('submit', 'ls', '-la');
    expect(nextOf(stderr)).toMatch(/^To run a command put -- before it: (npx )?muster submit -- ls -la$/);
    expect(nextOf((await said('submit', 'job.yaml', '-x')).stderr)).toBe('muster submit --help');
  });

  it('name the option as it was typed, not the field of the interface', async () => {
    expect((await said('run', '--priority', '400', '--', 'true')).stderr).toContain("'--priority <n>' cannot be '400'");
    expect((await said('up', '--port', '99999')).stderr).toContain("'--port <n>' cannot be '99999'");
    expect((await said('drain', 'lab-3', '--policy', 'requeue')).stderr).toContain('--deadline 10m');
  });
});

describe('help', () => {
  it('of a command below another is found either way', async () => {
    const asked = await said('help', 'keys', 'create');
    expect(asked).toEqual({ code: 0, stderr: '', stdout: expect.stringMatching(/^Usage: muster keys create /) });
    expect(await said('keys', 'create', '--help')).toEqual(asked);
    expect((await said('help', 'jobs')).stdout).toMatch(/^Usage: muster ps/);
  });

  it.each([
    [['help', 'nope'], "Unknown command 'nope'."],
    [['nope', '--help'], "Unknown command 'nope'."],
    [['help', 'keys', 'crate'], "Unknown command 'crate'.\n  (Did you mean create?)"],
  ])('for what does not exist says so: %j', async (words, complaint) => {
    const { code, stdout, stderr } = await said(...words);
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(complaint) });
  });
});
