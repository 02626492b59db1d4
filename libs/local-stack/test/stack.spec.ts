import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  anyFreePort,
  isAlive,
  startEmbeddedPostgres,
  startStack,
  type Stack,
  type StackOptions,
  type StackProgress,
} from '../src/index.js';
import { canLogIn } from './support/can-log-in.js';
import { eventually } from './support/eventually.js';
import { installProgram, prepareProgramFolder, runProgram } from './support/program.js';

jest.setTimeout(180_000);

const programs = {
  controlPlane: join(import.meta.dirname, 'programs', 'control-plane.mjs'),
  agent: join(import.meta.dirname, 'programs', 'agent.mjs'),
};

describe('a local stack', () => {
  let template: string;
  let folder: string;
  let dataDir: string;
  let env: Record<string, string | undefined>;
  const undo: (() => Promise<unknown> | void)[] = [];

  beforeAll(async () => {
    // Making or copying a cluster is the slow part: these stacks borrow one, and leave it whole.
    template = mkdtempSync(join(tmpdir(), 'muster-stack-template-'));
    chmodSync(template, 0o755);
    const server = await startEmbeddedPostgres({ dataDir: join(template, 'postgres') });
    await server.stop();
  });
  afterAll(() => rmSync(template, { recursive: true, force: true }));

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'muster-stack-'));
    chmodSync(folder, 0o755);
    dataDir = join(folder, 'data');
    mkdirSync(dataDir, { mode: 0o700 });
    renameSync(join(template, 'postgres'), join(dataDir, 'postgres'));
    undo.push(() => renameSync(join(dataDir, 'postgres'), join(template, 'postgres')));
    env = { PATH: process.env.PATH, MUSTER_DATA_DIR: dataDir, MUSTER_PORT: String(await anyFreePort()) };
  });
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(options: StackOptions = {}): Promise<Stack> {
    const stack = await startStack({ env, cwd: folder, programs, ...options });
    undo.push(() => stack.stop({ graceSeconds: 0 }));
    return stack;
  }

  const events = () =>
    existsSync(join(dataDir, 'events')) ? readFileSync(join(dataDir, 'events'), 'utf8').trim().split('\n') : [];
  const environmentOf = (name: string): Record<string, string | undefined> | undefined => {
    const file = join(dataDir, `${name}.env.json`);
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  };
  const agentEnvironment = () => eventually('the agent has started', () => environmentOf('agent'));
  const pidAt = async (url: string) => Number(await (await fetch(`${url}/health/ready`)).text());
  const pidOfDatabase = () =>
    Number(readFileSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);

  it('starts everything in order, tells its steps, and shows the key of the first start', async () => {
    const told: StackProgress[] = [];
    const stack = await start({ onProgress: (progress) => told.push(progress) });
    expect(stack).toMatchObject({
      url: `http://127.0.0.1:${env.MUSTER_PORT}`,
      dataDir,
      adminKey: 'mst_adm_fixture',
      firstStart: true,
      database: 'embedded',
    });
    expect(await canLogIn(stack.databaseUrl)).toBe(true);
    expect(told.filter(({ state }) => state !== 'doing').map(({ step, state }) => `${step} ${state}`)).toEqual(
      ['postgres', 'controlPlane', 'agent'].flatMap((step) => [`${step} begun`, `${step} done`]),
    );
    expect(told.every(({ elapsedMs }) => elapsedMs >= 0)).toBe(true);
    expect(statSync(dataDir).mode & 0o007).toBe(0);
  });

  it('gives each service its own settings and no secret of another', async () => {
    Object.assign(env, { MUSTER_KEY: 'mst_adm_mine', MUSTER_AGENT_KEY: 'wak_other', MUSTER_AGENT_SLOTS: '3' });
    const stack = await start();
    const agent = await agentEnvironment();
    expect(agent).toMatchObject({
      MUSTER_URL: stack.url,
      MUSTER_AGENT_KEY_FILE: join(dataDir, 'worker.key'),
      MUSTER_AGENT_STATE_DIR: join(dataDir, 'agent'),
      MUSTER_AGENT_SLOTS: '3',
    });
    expect([agent.MUSTER_KEY, agent.MUSTER_AGENT_KEY, agent.DATABASE_URL]).toEqual([undefined, undefined, undefined]);
    const controlPlane = environmentOf('control-plane');
    expect(controlPlane).toMatchObject({ DATABASE_URL: stack.databaseUrl, MUSTER_HOST: '127.0.0.1' });
    expect([controlPlane?.MUSTER_KEY, controlPlane?.MUSTER_AGENT_KEY]).toEqual([undefined, undefined]);
  });

  it('stops the agent with its grace, then the control plane, then PostgreSQL, and leaves no process', async () => {
    const stack = await start();
    const { pid } = await agentEnvironment();
    const pids = [Number(pid), await pidAt(stack.url), pidOfDatabase()];
    expect(pids.map(isAlive)).toEqual([true, true, true]);
    await Promise.all([stack.stop({ graceSeconds: 7 }), stack.stop()]);
    expect(events()).toEqual(['agent: {"kind":"stop","graceSeconds":7}', 'control plane: SIGTERM']);
    expect(pids.map(isAlive)).toEqual([false, false, false]);
    expect(await stack.done).toEqual({ reason: 'stopped' });
  });

  it('skips the grace when it is insisted', async () => {
    env.FIXTURE_AGENT = 'waitsForInsistence';
    const stack = await start();
    await agentEnvironment();
    const stopping = stack.stop();
    await eventually('the agent was asked', () => events().length > 0);
    stack.insist();
    await stopping;
    expect(events()).toEqual([
      'agent: {"kind":"stop","graceSeconds":10}',
      'agent: SIGINT 1',
      'agent: SIGINT 2',
      'control plane: SIGTERM',
    ]);
  });

  it('finds its data and its key on the second start', async () => {
    const first = await start();
    await first.stop();
    const second = await start();
    expect([second.firstStart, second.adminKey, second.url]).toEqual([false, first.adminKey, first.url]);
  });

  it('refuses a second stack on the same data, naming pid and URL of the first', async () => {
    const stack = await start();
    await expect(start()).rejects.toMatchObject({ code: 'alreadyRunning', pid: process.pid, url: stack.url, dataDir });
    expect(await pidAt(stack.url)).toBeGreaterThan(0);
  });

  it('recovers from a kill of the whole launcher: its services end by themselves and PostgreSQL is adopted', async () => {
    const file = installProgram('run-stack', prepareProgramFolder(folder));
    const launcher = runProgram<{ url: string; databaseUrl: string }>(file, [programs.controlPlane, programs.agent], {
      env,
    });
    undo.push(() => void launcher.child.kill('SIGKILL'));
    const { url, databaseUrl } = await launcher.answer;
    const agentPid = Number((await agentEnvironment()).pid);
    const pids = [await pidAt(url), agentPid];
    launcher.child.kill('SIGKILL');
    await launcher.exited;
    await eventually('the services have ended', () => !pids.some(isAlive));
    expect(events().sort()).toEqual(['agent: disconnect', 'control plane: disconnect']);
    const stack = await start();
    expect([stack.url, stack.databaseUrl]).toEqual([url, databaseUrl]);
  });

  it('takes the next free port and says so when its own is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(Number(env.MUSTER_PORT), '127.0.0.1', resolve));
    undo.push(() => void other.close());
    const notices: string[] = [];
    const stack = await start({ onNotice: (message) => notices.push(message) });
    expect(notices).toEqual([`Port ${env.MUSTER_PORT} is in use; using ${new URL(stack.url).port}.`]);
    expect(new URL(stack.url).port).not.toBe(env.MUSTER_PORT);
  });

  it('shows the end of the log of a control plane that does not start, and leaves nothing running', async () => {
    env.FIXTURE_CONTROL_PLANE = 'crashes';
    await expect(start()).rejects.toThrow(
      /control plane does not run: it ended with exit code 1[\s\S]*no migrations today/,
    );
    expect(existsSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'))).toBe(false);
    env.FIXTURE_CONTROL_PLANE = '';
    await start();
  });

  it('starts a service again that dies', async () => {
    const notices: string[] = [];
    const stack = await start({ onNotice: (message) => notices.push(message) });
    const before = await pidAt(stack.url);
    await fetch(`${stack.url}/crash`).catch(() => undefined);
    await eventually(
      'another control plane answers',
      async () => (await pidAt(stack.url).catch(() => before)) !== before,
    );
    expect(notices).toEqual(['The control plane ended (exit code 1) and is started again.']);
  });

  it('says that jobs go on when it is stopped while the agent is between two runs', async () => {
    const notices: string[] = [];
    const onNotice = (message: string) => notices.push(message) === 1 && void stack.stop();
    const stack = await start({ onNotice });
    process.kill(Number((await agentEnvironment()).pid), 'SIGKILL');
    await stack.done;
    expect(notices).toEqual([
      'The agent ended (SIGKILL) and is started again.',
      'The agent was not running, so nobody could stop its jobs: they go on, and the next start takes them over.',
    ]);
  });

  it('lets an agent rest that was asked to end, and says so', async () => {
    const notices: string[] = [];
    const stack = await start({ onNotice: (message) => notices.push(message) });
    const pid = Number((await agentEnvironment()).pid);
    process.kill(pid, 'SIGINT');
    await eventually('the agent heard it', () => events().includes('agent: SIGINT 1'));
    process.kill(pid, 'SIGINT');
    await eventually('the agent has ended', () => notices.length > 0);
    expect(notices[0]).toContain('The agent was asked to end and stays ended');
    expect(await pidAt(stack.url)).toBeGreaterThan(0);
  });

  it('starts PostgreSQL again on the same port when it is killed', async () => {
    const notices: string[] = [];
    const stack = await start({ onNotice: (message) => notices.push(message) });
    const before = pidOfDatabase();
    process.kill(before, 'SIGKILL');
    await eventually('PostgreSQL answers again', async () => !isAlive(before) && (await canLogIn(stack.databaseUrl)));
    expect(notices).toEqual(['PostgreSQL ended and is started again.']);
    await stack.stop();
    expect(existsSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'))).toBe(false);
  });

  it.each([
    ['refusesItsKey', 'its configuration can never work (exit code 78)'],
    ['keepsDying', 'it ended 5 times within 30 s'],
  ])('gives up on an agent that %s, says why, and goes on for all others', async (behaviour, reason) => {
    env.FIXTURE_AGENT = behaviour;
    const notices: string[] = [];
    const stack = await start({ onNotice: (message) => notices.push(message) });
    const before = await pidAt(stack.url);
    const given = await eventually('the agent was given up', () => notices.find((notice) => notice.includes('does not run')));
    expect(given).toContain(`The agent does not run: ${reason}.`);
    expect(given).toContain('agent starts');
    expect(given).toContain('Everything else goes on without it.');
    expect(await pidAt(stack.url)).toBe(before);
    expect(await canLogIn(stack.databaseUrl)).toBe(true);
    await stack.stop();
    expect(await stack.done).toEqual({ reason: 'stopped' });
  });

  it('uses the PostgreSQL of DATABASE_URL and leaves it running', async () => {
    const first = await start();
    const other = { ...env, DATABASE_URL: first.databaseUrl, MUSTER_DATA_DIR: join(folder, 'other') };
    const second = await start({ env: { ...other, MUSTER_PORT: String(await anyFreePort()) } });
    expect([second.database, second.databaseUrl]).toEqual(['external', first.databaseUrl]);
    await second.stop();
    expect(await canLogIn(first.databaseUrl)).toBe(true);
    expect(existsSync(join(folder, 'other', 'postgres'))).toBe(false);
  });

  it('runs without an agent, and says how to get one, on a database whose keys are elsewhere', async () => {
    env.FIXTURE_CONTROL_PLANE = 'hasKeysAlready';
    const notices: string[] = [];
    const stack = await start({ onNotice: (message) => notices.push(message) });
    expect([stack.adminKey, stack.firstStart]).toEqual([undefined, false]);
    expect(notices.join()).toContain('muster keys create --role worker');
    await stack.stop();
  });

  it('reads a .env file, and reports every mistake in it before anything is started', async () => {
    writeFileSync(join(folder, '.env'), 'MUSTER_PORT=high\nDATABASE_URL=mysql://db\nMUSTER_PROT=1\n');
    const notices: string[] = [];
    const starting = start({ env: { MUSTER_DATA_DIR: dataDir }, onNotice: (message) => notices.push(message) });
    await expect(starting).rejects.toMatchObject({
      complaints: [{ name: 'MUSTER_PORT' }, { name: 'DATABASE_URL' }],
    });
    expect(notices).toEqual(['MUSTER_PROT is not a setting of Muster; did you mean MUSTER_PORT?']);
    expect(existsSync(join(dataDir, 'logs'))).toBe(false);
  });

  it('can be given up while it starts', async () => {
    const controller = new AbortController();
    const onProgress = ({ step }: StackProgress) => step === 'controlPlane' && controller.abort(new Error('given up'));
    await expect(start({ signal: controller.signal, onProgress })).rejects.toThrow('given up');
    expect(existsSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'))).toBe(false);
    await start();
  });

  it('says what to build when its programs are missing', async () => {
    const missing = { ...programs, agent: join(folder, 'missing.js') };
    await expect(start({ programs: missing })).rejects.toThrow(`Not built yet: ${missing.agent}. Run npm run build.`);
  });
});
