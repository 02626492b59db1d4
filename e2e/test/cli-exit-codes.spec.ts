import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { anyFreePort } from '@muster/local-stack';
import { Cli, type CliResult } from '../src/cli.js';
import { startCluster, type Cluster } from '../src/cluster.js';
import { eventually } from '../src/eventually.js';

describe('the muster command', () => {
  let cluster: Cluster;
  let cli: Cli;
  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.startAgent('one', { MUSTER_AGENT_SLOTS: '4' });
    const home = join(cluster.folder, 'home');
    mkdirSync(home);
    cli = new Cli(home, { MUSTER_URL: cluster.api.url, MUSTER_KEY: cluster.adminKey });
  });
  afterAll(async () => {
    cli?.stop();
    await cluster?.stop();
  });

  const submitted = async (...words: string[]): Promise<string> =>
    (await cli.run(['submit', '--parsable', ...words])).stdout.trim();
  /** What every failure says: one line of what, and one of what to do next. */
  const expectAdvice = ({ stdout, stderr }: CliResult): void => {
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^muster: .+\n/m);
    expect(stderr).toMatch(/^ {2}Next: .+\n/m);
  };

  describe('ends with', () => {
    test('0 and the output of a job that succeeded', async () => {
      expect(await cli.run(['run', '--', 'echo', 'hello  world', '$HOME'])).toMatchObject({
        code: 0,
        stdout: 'hello  world $HOME\n',
      });
    });

    test('1 when the job failed, unless it is told that this is none of its business', async () => {
      const failed = await cli.run(['run', '--exit-status', '--', 'sh', '-c', 'echo before; exit 7']);
      expect(failed).toMatchObject({ code: 1, stdout: 'before\n' });
      expect(failed.stderr).toContain('exit 7');
      expect(await cli.run(['run', '--no-exit-status', '--', 'false'])).toMatchObject({ code: 0 });
      expect(await cli.run(['submit', '--wait', '--', 'false'])).toMatchObject({ code: 1 });
    });

    test("the job's own code when it is asked for, also when a signal ended the job", async () => {
      expect(await cli.run(['run', '--propagate-exit', '--', 'sh', '-c', 'exit 42'])).toMatchObject({ code: 42 });
      expect(await cli.run(['run', '--propagate-exit', '--', 'sh', '-c', 'kill -KILL $$'])).toMatchObject({
        code: 137,
      });
    });

    test.each([
      ['an unknown command', ['pss'], 'ps'],
      ['an unknown option', ['ps', '--jsonn'], '--json'],
      ['a missing argument', ['show'], "'job'"],
      ['a status that is none', ['ps', '--status', 'done'], 'completed'],
      ['nothing to run', ['run'], 'command'],
      ['a file that is not there', ['submit', 'no-such-job.yaml'], 'no-such-job.yaml'],
      ['a field that the control plane refuses', ['submit', '--retries', '999', '--', 'true'], '/retry/onFailure'],
      ['a login without a key or a terminal to ask on', ['login', '--key-stdin'], 'stdin'],
      ['an address that is none', ['ps', '--url', 'ftp://x'], 'http://'],
    ])('2 for %s, and says what would be right', async (_what, words, clue) => {
      const result = await cli.run(words, { stdin: '' });
      expect(result.code).toBe(2);
      expect(result.stderr).toContain(clue);
      expectAdvice(result);
    });

    test('3 for what is not there', async () => {
      for (const reference of ['job_01JDABCDEFGHJKMNPQRSTVWXYZ', 'job_7ZZZ', 'no-such-name']) {
        const result = await cli.run(['show', reference]);
        expect(result).toMatchObject({ code: 3 });
        expectAdvice(result);
      }
      expect(await cli.run(['context', 'use', 'nowhere'])).toMatchObject({ code: 3 });
    });

    test('4 for a key that is wrong, missing or too weak, and never prints it', async () => {
      const wrong = `${cluster.adminKey.slice(0, -4)}AAAA`;
      for (const MUSTER_KEY of [wrong, '']) {
        const result = await cli.run(['ps'], { env: { MUSTER_KEY } });
        expect(result).toMatchObject({ code: 4 });
        expectAdvice(result);
        expect(result.stderr).toContain('muster login');
        expect(result.stderr).not.toContain(wrong);
      }
      const viewer = (await cli.run(['keys', 'create', '--name', 'looks', '--role', 'viewer'])).stdout.trim();
      const refused = await cli.run(['submit', '--', 'true'], { env: { MUSTER_KEY: viewer } });
      expect(refused).toMatchObject({ code: 4 });
      expectAdvice(refused);
    });

    test('5 when the state does not allow it', async () => {
      const id = await submitted('--wait', '--', 'true');
      const result = await cli.run(['cancel', id]);
      expect(result).toMatchObject({ code: 5 });
      expect(result.stderr).toContain('completed');
      expectAdvice(result);
    });

    test('6 when the control plane cannot be reached', async () => {
      const result = await cli.run(['ps'], { env: { MUSTER_URL: `http://127.0.0.1:${await anyFreePort()}` } });
      expect(result).toMatchObject({ code: 6 });
      expect(result.stderr).toContain('ECONNREFUSED');
      expectAdvice(result);
    });

    test('7 when the time to wait is over, and the job goes on', async () => {
      const id = await submitted('--', 'sleep', '600');
      const result = await cli.run(['wait', id, '--timeout', '1s']);
      expect(result).toMatchObject({ code: 7 });
      expect(result.stderr).toContain(`muster logs -f ${id}`);
      expect(['queued', 'assigned', 'running']).toContain((await cluster.api.job(id)).status);
      expect(await cli.run(['cancel', '--force', '--wait', id])).toMatchObject({ code: 0 });
    });

    test('8 when the job was cancelled', async () => {
      const id = await submitted('--', 'sleep', '600');
      const waiting = cli.run(['wait', id]);
      await cli.run(['cancel', id]);
      expect(await waiting).toMatchObject({ code: 8 });
      expect(await cli.run(['logs', '-f', '--exit-status', id])).toMatchObject({ code: 8 });
    });
  });

  test('interrupted while it follows detaches, says how to come back, and leaves the job alone', async () => {
    const goOn = join(cluster.folder, 'go-on');
    const run = cli.start(['run', '--', 'sh', '-c', `echo begun; until [ -e '${goOn}' ]; do sleep 0.1; done; echo done`]);
    await eventually('the job has begun', () => (run.stdout().includes('begun') ? true : undefined));
    run.child.kill('SIGINT');
    const { code, stdout, stderr } = await run.result;
    expect({ code, stdout }).toEqual({ code: 130, stdout: 'begun\n' });
    const id = /Detached; the job goes on\. Come back: muster logs -f (job_\w+)\n/.exec(stderr)?.[1];
    expect(id).toBeDefined();
    writeFileSync(goOn, '');
    expect(await cli.run(['logs', '-f', '@last'])).toMatchObject({ code: 0, stdout: 'begun\ndone\n' });
    expect(await cluster.api.job(id ?? '')).toMatchObject({ status: 'completed', attemptCount: 1 });
  });

  test('whose reader went away ends as a broken pipe, and the job goes on', async () => {
    const run = cli.start(['run', '--', 'sh', '-c', 'while :; do echo y; sleep 0.1; done']);
    await eventually('the job prints', () => (run.stdout().includes('y') ? true : undefined));
    run.child.stdout?.destroy();
    expect(await run.result).toMatchObject({ code: 141 });
    const { stdout } = await cli.run(['show', '@last', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ job: { status: 'running' } });
    expect(await cli.run(['cancel', '--force', '--wait', '@last'])).toMatchObject({ code: 0 });
  });

  test('says why the job it follows waits', async () => {
    const run = cli.start(['run', '--cpus', '4000', '--', 'true']);
    await eventually('it names what does not fit', () =>
      run.stderr().includes('needs 4000 cores') ? true : undefined,
    );
    expect(await cli.run(['cancel', '@last'])).toMatchObject({ code: 0 });
    expect(await run.result).toMatchObject({ code: 8, stdout: '' });
  });

  test('finds a job by its id, the beginning of its id, its name and @last', async () => {
    const id = await submitted('--name', 'only-one-of-this-name', '--', 'true');
    for (const reference of [id, id.toLowerCase(), id.slice(4), id.slice(0, -2), 'only-one-of-this-name', '@last']) {
      const { stdout } = await cli.run(['show', reference, '--json']);
      expect(JSON.parse(stdout)).toMatchObject({ job: { id } });
    }
    await submitted('--name', 'only-one-of-this-name', '--', 'true');
    const ambiguous = await cli.run(['show', 'only-one-of-this-name']);
    expect(ambiguous).toMatchObject({ code: 2 });
    expect(ambiguous.stderr).toContain(id);
  });

  test('retries of one submit with one idempotency key make one job', async () => {
    const ids = await Promise.all([1, 2].map(() => submitted('--idempotency-key', 'nightly-7', '--', 'true')));
    expect(ids[1]).toBe(ids[0]);
    expect(await cli.run(['submit', '--idempotency-key', 'nightly-7', '--', 'false'])).toMatchObject({ code: 5 });
  });
});
