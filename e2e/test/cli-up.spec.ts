import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anyFreePort } from '@muster/local-stack';
import { Cli, type RunningCli } from '../src/cli.js';
import { eventually } from '../src/eventually.js';

const KEY = /mst_adm_[\w-]+/g;

describe('muster up', () => {
  let folder: string;
  let cli: Cli;
  let up: RunningCli | undefined;
  let port: number;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'muster-up-'));
    // PostgreSQL runs as another user when we are root, and must be able to pass.
    chmodSync(folder, 0o711);
    mkdirSync(join(folder, 'home'));
    port = await anyFreePort();
    cli = new Cli(join(folder, 'home'), {
      MUSTER_DATA_DIR: join(folder, 'data'),
      MUSTER_PORT: String(port),
      MUSTER_AGENT_MONITOR_PORT: 'off',
    });
  });
  afterEach(async () => {
    up?.child.kill('SIGINT');
    await up?.result;
    up = undefined;
  });
  afterAll(() => {
    cli.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const started = async (...words: string[]): Promise<RunningCli> => {
    const running = cli.start(['up', ...words]);
    up = running;
    await eventually(
      'it says what to type next',
      () => {
        if (running.child.exitCode !== null) throw new Error(running.stderr());
        return running.stdout().includes('Try:') ? true : undefined;
      },
      200_000,
    );
    return running;
  };

  test('starts everything, shows the key once, runs the example, and stops everything on Ctrl-C', async () => {
    const first = await started();
    const keys = first.stdout().match(KEY) ?? [];
    expect(keys).toHaveLength(1);
    expect(readFileSync(join(folder, 'data/admin.key'), 'utf8').trim()).toBe(keys[0]);
    expect(first.stdout()).toContain(`http://127.0.0.1:${port}`);
    expect(first.stdout()).toContain(join(folder, 'data'));
    expect(first.stdout()).toMatch(/Held-out accuracy \d/);
    expect(first.stderr()).toMatch(/✔ job_\w+ completed/);
    // The attempt's own folder is gone by now; what the example says it kept is really there.
    const [, model = ''] = /Model in (\S+)/.exec(first.stdout()) ?? [];
    expect(JSON.parse(readFileSync(model, 'utf8'))).toHaveProperty('layers');
    const contexts = join(folder, 'home/config/muster/contexts.json');
    expect(statSync(contexts).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(contexts, 'utf8'))).toMatchObject({
      current: 'local',
      contexts: { local: { key: keys[0] } },
    });

    // Another shell of the same person needs neither address nor key.
    const shown = await cli.run(['show', '@last', '--json'], { env: { MUSTER_DATA_DIR: '', MUSTER_PORT: '' } });
    expect(JSON.parse(shown.stdout)).toMatchObject({ job: { name: 'train-classifier', status: 'completed' } });
    expect(await cli.run(['run', '--', 'echo', 'hello'])).toMatchObject({ code: 0, stdout: 'hello\n' });

    const second = await cli.run(['up']);
    expect(second).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`already running: http://127.0.0.1:${port}`),
    });
    expect(second.stdout).not.toMatch(KEY);

    first.child.kill('SIGINT');
    expect(await first.result).toMatchObject({ code: 0, stderr: expect.stringContaining('Stopped.') });
    expect(await cli.run(['ps'])).toMatchObject({ code: 6 });
  });

  test('started again shows no key and runs no example, and what was submitted before is still there', async () => {
    const again = await started();
    expect(again.stdout()).not.toMatch(KEY);
    expect(again.stdout()).not.toContain('accuracy');
    const { stdout } = await cli.run(['ps', '-a', '--json']);
    expect((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name)).toContain('train-classifier');
  });

  test('with settings that make no sense names them and ends with 2', async () => {
    const result = await cli.run(['up'], { env: { MUSTER_PORT: 'many' } });
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain('MUSTER_PORT');
    expect(result.stderr).toMatch(/^ {2}Next: /m);
  });
});
