import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machineHas, shellNamesSignals } from './machine.js';
import { clock, FIXTURES, ManagerHarness } from './manager-harness.js';

jest.setTimeout(120_000);

describe('running a job', () => {
  let harness: ManagerHarness;
  beforeAll(async () => {
    harness = await ManagerHarness.open({
      environment: { ...process.env, MUSTER_AGENT_KEY: 'wak_secret', LC_ALL: 'C' },
    });
  });
  afterAll(() => harness.destroy());

  it('reports success with code 0 and no complaint', async () => {
    const { end } = await harness.run({ run: { command: ['/bin/true'] } });

    expect(end).toMatchObject({ outcome: 'succeeded', exit: { code: 0, signal: null }, detail: null, leftovers: 0 });
    expect(end.ranMs).toBeGreaterThanOrEqual(0);
  });

  it('makes no process once the last moment of its grant has passed', async () => {
    const marker = join(harness.stateDir, 'it-ran');
    const { end } = await harness.run(
      { run: { command: ['/usr/bin/touch', marker] } },
      { notAfterMs: clock.monotonicMs() - 1 },
    );

    expect(end).toMatchObject({ outcome: 'refused', exit: null, ranMs: null });
    expect(existsSync(marker)).toBe(false);
  });

  it('gives every character to the program as it was written, in arguments and in variables', async () => {
    const all = Array.from({ length: 255 }, (_, index) => String.fromCodePoint(index + 1)).join('');
    const texts = [all, '', ' ', "'", '"', '\\', '\n', "it's\n$(date) `date` ${HOME} *", '-n', '🌱 ütf', '\u{10ffff}'];
    const names = [
      'PLAIN',
      'with space',
      'with-dash',
      '1digit',
      'OPTIND',
      'IFS',
      '_h_d',
      'PS4',
      'BASH_ENV',
      'LD_NOTHING',
      'ünicode',
    ];
    const env = Object.fromEntries(names.map((name, index) => [name, `${all}${index}\n`]));
    const program = join(FIXTURES, 'prints-its-arguments.mjs');

    const { end, log } = await harness.run({
      run: { command: [process.execPath, program, ...texts] },
      env: { ...env, NAMES: names.join('\n') },
    });

    expect(end).toMatchObject({ outcome: 'succeeded' });
    const got = JSON.parse(log) as { args: string[]; env: Record<string, string> };
    const decode = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString('utf8');
    expect(got.args.map(decode)).toEqual(texts);
    for (const name of names) expect([name, decode(got.env[name])]).toEqual([name, env[name]]);
  });

  it('passes an argument and a variable of 64 KiB whole', async () => {
    const long = 'ab\'c\n"$x'.repeat(8 * 1024);
    const { end, log } = await harness.run({
      run: { command: ['/bin/sh', '-c', 'printf %s "$1" | wc -c; printf %s "$LONG" | wc -c', 'sh', long] },
      env: { LONG: long },
    });

    expect(end.outcome).toBe('succeeded');
    expect(log.trim().split(/\s+/)).toEqual([String(long.length), String(long.length)]);
  });

  it('refuses what no program can be given, and says which', async () => {
    const spawnFailed = async (spec: Parameters<typeof harness.run>[0]): Promise<string | null> => {
      const { end } = await harness.run(spec);
      expect(end).toMatchObject({ outcome: 'spawnFailed', exit: null, ranMs: null });
      return end.detail;
    };

    expect(await spawnFailed({ run: { command: ['/bin/echo', 'a\0b'] } })).toMatch('Argument 1 holds a NUL byte');
    expect(await spawnFailed({ run: { command: ['/bin/echo', 'x'.repeat(131_072)] } })).toMatch(
      'Argument 1 is 131072 bytes',
    );
    expect(await spawnFailed({ run: { command: [] } })).toMatch('The command is empty');
    expect(await spawnFailed({ run: { command: ['/bin/true'] }, env: { 'A=B': 'x' } })).toMatch(
      'The variable name "A=B"',
    );
  });

  it('names a command that does not exist on the worker', async () => {
    const missing = await harness.run({ run: { command: ['no-such-program-here', 'x'] } });
    expect(missing.end).toMatchObject({ outcome: 'spawnFailed', exit: null });
    expect(missing.end.detail).toMatch('The command "no-such-program-here" was not found; PATH on this worker is /');

    const absolute = await harness.run({ run: { command: ['/no/such/program'] } });
    expect(absolute.end.detail).toBe('The command "/no/such/program" does not exist on this worker.');
  });

  it('names a file that is no program', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'muster-programs-'));
    const file = (name: string, content: string | Buffer, mode: number): string => {
      writeFileSync(join(folder, name), content);
      chmodSync(join(folder, name), mode);
      return join(folder, name);
    };
    const otherMachine = Buffer.alloc(64);
    otherMachine.write('\x7fELF\x02\x01\x01', 'latin1');
    otherMachine.writeUInt16LE(0x1234, 18);
    const detail = async (path: string): Promise<string | null> =>
      (await harness.run({ run: { command: [path] } })).end.detail;
    try {
      expect(await detail(file('plain', 'echo hi\n', 0o644))).toMatch('is not executable by this worker');
      expect(await detail(folder)).toMatch('is not a file');
      expect(await detail(file('foreign', otherMachine, 0o755))).toMatch('exec format error');
      expect(await detail(file('garbage', Buffer.from([1, 0, 2, 0]), 0o755))).toMatch('exec format error');
      expect(await detail(file('lost', '#!/no/such/interpreter\n', 0o755))).toMatch(
        'interpreter "/no/such/interpreter"',
      );
      const script = await harness.run({ run: { command: [file('script', 'echo no header\n', 0o755)] } });
      expect([script.end.outcome, script.log]).toEqual(['succeeded', 'no header\n']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('gives a job a session of its own, also when what makes it was taken away meanwhile', async () => {
    const run = { shell: 'read -r pid _ _ _ group session _ </proc/$$/stat; echo $((pid - group)) $((pid - session))' };
    expect((await harness.run({ run })).log).toBe('0 0\n');
    rmSync(join(harness.stateDir, 'new-session'), { force: true });
    expect((await harness.run({ run })).log).toBe('0 0\n');
  });

  it('keeps standard output and error in true order, or apart when asked to', async () => {
    const run = { shell: 'echo a; echo b >&2; echo c; echo d >&2' };

    expect((await harness.run({ run })).log).toBe('a\nb\nc\nd\n');
    const apart = await harness.run({ run, logs: { separate: true } });
    expect([harness.log(apart.executionId, 'stdout'), harness.log(apart.executionId, 'stderr')]).toEqual([
      'a\nc\n',
      'b\nd\n',
    ]);
    expect(Object.keys(harness.manager.paths(apart.executionId).logs)).toEqual(['stdout', 'stderr']);
  });

  it('shows a job what it needs to know and nothing of the agent', async () => {
    const { log } = await harness.run(
      { run: { shell: 'env; pwd' }, env: { LR: '0.1', MUSTER_EPOCH: 'forged', HOME: '/elsewhere' } },
      { env: { MUSTER_URL: 'http://127.0.0.1:1', MUSTER_JOB_TOKEN: 'mst_job_x' } },
      { epoch: 7, number: 3, gpus: [0, 2] },
    );
    const lines = log.trim().split('\n');
    const env = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));

    expect(env).toMatchObject({
      LR: '0.1',
      HOME: '/elsewhere',
      MUSTER_EPOCH: '7',
      MUSTER_ATTEMPT: '3',
      CUDA_VISIBLE_DEVICES: '0,2',
    });
    expect(env).toMatchObject({
      MUSTER_URL: 'http://127.0.0.1:1',
      MUSTER_JOB_TOKEN: 'mst_job_x',
      PATH: process.env.PATH,
    });
    expect(env.MUSTER_WORKSPACE).toBe(lines.at(-1));
    expect(
      Object.keys(env)
        .filter((name) => name.startsWith('MUSTER_'))
        .sort(),
    ).toEqual([
      'MUSTER_ATTEMPT',
      'MUSTER_ATTEMPT_ID',
      'MUSTER_EPOCH',
      'MUSTER_EXECUTION',
      'MUSTER_JOB_ID',
      'MUSTER_JOB_TOKEN',
      'MUSTER_METRICS',
      'MUSTER_OUTPUT_DIR',
      'MUSTER_PROGRESS',
      'MUSTER_RESULT',
      'MUSTER_URL',
      'MUSTER_WORKSPACE',
    ]);
    expect(env).not.toHaveProperty('LC_ALL');
    expect(log).not.toMatch('wak_secret');
  });

  it('gives a job nothing to read, no terminal and no descriptor of the agent', async () => {
    const { log } = await harness.run({ run: { shell: 'cat; ls /proc/self/fd' } });
    // Descriptors above 9 that the test run itself was given reach every process below it.
    const inherited = execFileSync('/bin/ls', ['/proc/self/fd'], { encoding: 'utf8' })
      .split('\n')
      .filter((fd) => Number(fd) > 9);
    // 3 is the folder that ls itself reads.
    expect(log.trim().split('\n').sort()).toEqual(['0', '1', '2', '3', ...inherited].sort());
  });

  it('takes the result the job wrote, and says why it did not', async () => {
    const result = (text: string): Parameters<typeof harness.run>[0] => ({
      run: { shell: `${text} >"$MUSTER_RESULT"` },
    });

    expect((await harness.run(result(`echo '{"accuracy":0.97,"rows":[1,2]}'`))).end.result).toEqual({
      accuracy: 0.97,
      rows: [1, 2],
    });
    expect((await harness.run(result('echo 0'))).end.result).toBe(0);
    expect((await harness.run(result('true'))).end).not.toHaveProperty('result');
    expect((await harness.run(result('echo "{not json"'))).end).toMatchObject({
      outcome: 'succeeded',
      detail: expect.stringContaining('not a JSON value'),
    });
    const large = await harness.run(result('head -c 70000 /dev/zero | tr "\\0" 1'));
    expect(large.end.detail).toBe('The result is too large: 70000 bytes, at most 64 KiB are kept.');
  });

  it('cleans up its workspace and forgets what is discarded', async () => {
    const ran = await harness.run({ run: { shell: 'mkdir -p a/b; echo x >a/b/c; ln -s / a/root' } });
    const { directory } = harness.manager.paths(ran.executionId);
    await harness.manager.discard(ran.executionId);

    expect(harness.manager.list().some((view) => view.executionId === ran.executionId)).toBe(false);
    expect(() => harness.manager.view(ran.executionId)).toThrow(`No execution ${ran.executionId} is held here.`);
    expect(() => rmSync(directory)).toThrow('ENOENT');
  });

  it('takes up the next job while the workspace of the last one is still being removed', async () => {
    const left = await harness.run({ run: { shell: 'seq 60000 | xargs touch' } });
    const { directory } = harness.manager.paths(left.executionId);
    const next = await harness.accept({ run: { command: ['/bin/true'] } });
    expect(existsSync(join(directory, 'work'))).toBe(true);

    await harness.manager.start(next);
    expect((await harness.end(next)).outcome).toBe('succeeded');
    await harness.manager.discard(left.executionId);
    expect(existsSync(directory)).toBe(false);
  });

  it('counts a slot as free only when nothing of its execution lives', async () => {
    const free = (): number => harness.manager.slots().free;
    const first = await harness.begin({ run: { shell: 'sleep 60' } });
    const second = await harness.begin({ run: { shell: 'sleep 60' } });
    expect(free()).toBe(0);
    await expect(harness.begin({})).rejects.toThrow('All 2 slots are taken.');
    await expect(harness.manager.discard(first)).rejects.toThrow('cannot be asked to be forgotten');

    for (const id of [first, second])
      await harness.manager.stop(id, { kind: 'forceStop', graceSeconds: 0, reason: 'stopped' });
    await Promise.all([harness.end(first), harness.end(second)]);
    expect(free()).toBe(2);
  });
});

describe('the end of a job', () => {
  const itHere = machineHas('a shell that names signals', shellNamesSignals()) ? it : it.skip;
  let harness: ManagerHarness;
  beforeAll(async () => {
    harness = await ManagerHarness.open({ containment: 'group' });
  });
  afterAll(() => harness.destroy());

  itHere('carries every exit code as itself', async () => {
    for (const code of [1, 3, 77, 125, 126, 127, 128, 129, 137, 143, 255]) {
      const { end } = await harness.run({ run: { shell: `exit ${code}` } });
      expect(end).toMatchObject({ outcome: 'failed', exit: { code, signal: null } });
    }
  });

  itHere('names the signal that killed it', async () => {
    for (const signal of ['HUP', 'QUIT', 'ABRT', 'KILL', 'USR1', 'SEGV', 'ALRM', 'TERM', 'USR2', 'BUS', 'XCPU']) {
      const { end } = await harness.run({ run: { shell: `ulimit -c 0; kill -${signal} $$` } });
      expect(end).toMatchObject({ outcome: 'failed', exit: { code: null, signal: `SIG${signal}` } });
    }
  });

  it('is no exit of the program when the files for its output cannot be opened', async () => {
    for (const separate of [false, true]) {
      const executionId = await harness.accept({ run: { command: ['/bin/true'] }, logs: { separate } });
      const [path = ''] = Object.values(harness.manager.paths(executionId).logs);
      mkdirSync(path);
      await harness.manager.start(executionId);
      const end = await harness.end(executionId);
      expect(end).toMatchObject({ outcome: 'spawnFailed', exit: null, ranMs: null });
      expect(end.detail).toMatch('The program could not be started:');
    }
  });

  it('says likely where a code and a signal look alike', async () => {
    for (const [signal, code] of [
      ['INT', 130],
      ['PIPE', 141],
    ] as const) {
      const { end } = await harness.run({ run: { shell: `kill -${signal} $$` } });
      expect(end.exit).toEqual({ code, signal: `SIG${signal}`, likely: true });
    }
  });
});
