import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { isAlive, startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from '../src/index.js';
import {
  installPostgresPackage,
  installProgram,
  nodeForEveryone,
  prepareProgramFolder,
  runProgram,
  type PostgresFacts,
} from './support/program.js';

jest.setTimeout(180_000);

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

describe('embedded PostgreSQL', () => {
  let template: string;
  let folder: string;
  let dataDir: string;
  const undo: (() => Promise<unknown> | void)[] = [];

  beforeAll(async () => {
    template = mkdtempSync(join(tmpdir(), 'muster-postgres-template-'));
    chmodSync(template, 0o755);
    const server = await startEmbeddedPostgres({ dataDir: join(template, 'postgres') });
    await server.stop();
  });
  afterAll(() => rmSync(template, { recursive: true, force: true }));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'muster-postgres-'));
    chmodSync(folder, 0o755);
    dataDir = join(folder, 'postgres');
  });
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Making or copying a cluster is the slow part: promises about later starts borrow one, and leave it whole. */
  function haveData(): void {
    const lent = join(template, 'postgres');
    renameSync(lent, dataDir);
    undo.unshift(() => renameSync(dataDir, lent));
  }

  async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
    const server = await startEmbeddedPostgres({ dataDir, ...options });
    undo.push(() => server.stop());
    return server;
  }

  function run(file: string, options: { uid?: number; node?: string; dataDir?: string } = {}) {
    const running = runProgram<PostgresFacts>(file, [options.dataDir ?? dataDir], options);
    undo.push(async () => {
      running.child.stdin?.end();
      const answer = await running.answer.catch(() => undefined);
      await running.exited;
      if (answer && isAlive(answer.pid)) process.kill(answer.pid, 'SIGQUIT');
    });
    return running;
  }

  it('makes its data on the first start and finds it on the second', async () => {
    const steps: string[] = [];
    const first = await start({ onProgress: (step) => steps.push(step) });
    await query(first.url, 'create table kept (id int); insert into kept values (42)');
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    const second = await start({ onProgress: (step) => steps.push(step) });
    expect(await query(second.url, 'select id from kept')).toEqual([{ id: 42 }]);
    expect([first.isNew, second.isNew, first.adopted, second.adopted]).toEqual([true, false, false, false]);
    expect(steps).toEqual(['initializing', 'starting', 'ready', 'starting', 'ready']);
  });

  it('listens on loopback and in a folder of its own only, asks for its password, and keeps it to itself', async () => {
    const server = await start({ settings: { work_mem: '7MB' }, database: 'other one' });
    const [facts] = await query(
      server.url,
      "select current_setting('listen_addresses') as addresses, current_setting('work_mem') as memory, current_database() as name," +
        " current_setting('unix_socket_directories') as sockets",
    );
    expect(facts).toEqual({
      addresses: '127.0.0.1',
      memory: '7MB',
      name: 'other one',
      sockets: join(dataDir, 'socket'),
    });
    expect(statSync(join(dataDir, 'socket')).mode & 0o777).toBe(0o700);
    for (const url of [server.url, server.localUrl])
      await expect(query(url.replace(/:[^:@]+@/, ':wrong@'), 'select 1')).rejects.toThrow('password authentication');
    expect(statSync(join(dataDir, 'password')).mode & 0o777).toBe(0o600);
    expect(statSync(join(dataDir, 'data')).mode & 0o077).toBe(0);
  });

  it('answers through its socket, also after it was killed', async () => {
    haveData();
    const bySocket = 'select inet_server_addr() is null as answered_by_socket';
    const first = await start();
    expect(await query(first.localUrl, bySocket)).toEqual([{ answered_by_socket: true }]);
    await first.kill('SIGKILL');
    const second = await start({ port: first.port });
    expect(second.localUrl).toBe(first.localUrl);
    expect(await query(second.localUrl, bySocket)).toEqual([{ answered_by_socket: true }]);
  });

  it('loses nothing committed when it is killed, and starts again', async () => {
    haveData();
    const first = await start();
    await query(first.url, 'create table kept (id int)');
    await query(first.url, 'insert into kept values (1)');
    await first.kill('SIGKILL');
    const second = await start();
    expect(await query(second.url, 'select id from kept')).toEqual([{ id: 1 }]);
    expect(second.adopted).toBe(false);
  });

  it('adopts the server of a parent that was killed, and stops it', async () => {
    haveData();
    const parent = run(installProgram('start-postgres', prepareProgramFolder(folder)));
    const orphan = await parent.answer;
    parent.child.kill('SIGKILL');
    await parent.exited;
    const adopted = await start();
    expect([adopted.adopted, adopted.pid, adopted.url]).toEqual([true, orphan.pid, orphan.url]);
    await adopted.stop();
    expect(isAlive(orphan.pid)).toBe(false);
    await adopted.exited;
  });

  it('gives two first starts at the same moment the same server', async () => {
    const file = installProgram('start-postgres', prepareProgramFolder(folder));
    const both = [run(file), run(file)];
    const answers = await Promise.all(both.map((running) => running.answer));
    expect(answers[0]?.pid).toBe(answers[1]?.pid);
    expect(answers.map((answer) => answer.isNew).sort()).toEqual([false, true]);
    expect(answers.map((answer) => answer.adopted).sort()).toEqual([false, true]);
  });

  it('leaves nothing half-made when the first start is killed while it makes the data', async () => {
    const parent = run(installProgram('start-postgres', prepareProgramFolder(folder)));
    await parent.said('initializing');
    parent.child.kill('SIGKILL');
    await parent.exited;
    const server = await start();
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(readdirSync(dataDir).filter((name) => name.startsWith('.scratch'))).toEqual([]);
  });

  it('is not fooled by a pid file whose pid now belongs to another program', async () => {
    haveData();
    const server = await start();
    const content = readFileSync(join(dataDir, 'data', 'postmaster.pid'), 'utf8');
    await server.kill('SIGKILL');
    const other = process.ppid;
    writeFileSync(join(dataDir, 'data', 'postmaster.pid'), content.replace(/^\d+/, String(other)));
    const next = await start();
    expect(next.adopted).toBe(false);
    expect(isAlive(other)).toBe(true);
  });

  it('starts although its pid file is empty', async () => {
    haveData();
    writeFileSync(join(dataDir, 'data', 'postmaster.pid'), '');
    await expect(start()).resolves.toMatchObject({ adopted: false });
  });

  it('refuses a folder that its user cannot reach, naming what blocks; an ordinary user’s own folder is reachable', async () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const starting = start({ dataDir: join(closed, 'postgres') });
    if (isRoot) await expect(starting).rejects.toThrow(`may not enter ${closed}`);
    else await expect(starting).resolves.toMatchObject({ isNew: true });
  });

  it('runs from a clone that only root may enter, on a copy of its programs', async () => {
    const closed = join(folder, 'home');
    mkdirSync(closed, { mode: 0o700 });
    installPostgresPackage(closed, 'copy');
    const file = installProgram('start-postgres', closed);
    const first = await run(file).answer;
    const copied = existsSync(join(dataDir, 'binaries'));
    expect(copied).toBe(isRoot);
    expect(first.steps.includes('copying')).toBe(isRoot);
    expect(await query(first.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('runs for an ordinary user', async () => {
    const programFolder = prepareProgramFolder(folder);
    const file = installProgram('start-postgres', programFolder);
    const node = nodeForEveryone(programFolder);
    const ownDir = mkdtempSync(join(folder, 'own-'));
    chmodSync(ownDir, 0o777);
    const running = run(file, { node, dataDir: join(ownDir, 'postgres'), ...(isRoot ? { uid: NOBODY } : {}) });
    const { url } = await running.answer;
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(statSync(join(ownDir, 'postgres', 'data')).uid).toBe(isRoot ? NOBODY : process.getuid?.());
  });

  it('says which port is taken when it was asked for that port', async () => {
    haveData();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    undo.push(() => void other.close());
    const address = other.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await expect(start({ port })).rejects.toMatchObject({
      code: 'portInUse',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });

  it('refuses data that another major version wrote', async () => {
    mkdirSync(join(dataDir, 'data'), { recursive: true });
    writeFileSync(join(dataDir, 'data', 'PG_VERSION'), '12\n');
    await expect(start()).rejects.toMatchObject({
      code: 'versionMismatch',
      message: expect.stringContaining('PostgreSQL 12'),
    });
  });

  it('says what to do when its password is gone', async () => {
    mkdirSync(join(dataDir, 'data'), { recursive: true });
    copyFileSync(join(template, 'postgres', 'data', 'PG_VERSION'), join(dataDir, 'data', 'PG_VERSION'));
    await expect(start()).rejects.toMatchObject({ code: 'passwordMissing' });
  });

  it('shows the end of its log when it cannot start', async () => {
    haveData();
    await expect(start({ settings: { shared_buffers: 'plenty' } })).rejects.toThrow(
      /did not start[\s\S]*invalid value for parameter "shared_buffers"/,
    );
  });

  it('leaves no process when its start is given up', async () => {
    haveData();
    const controller = new AbortController();
    const onProgress = (step: string) => {
      if (step === 'starting') controller.abort(new Error('given up'));
    };
    await expect(start({ signal: controller.signal, onProgress })).rejects.toThrow('given up');
    expect(existsSync(join(dataDir, 'data', 'postmaster.pid'))).toBe(false);
    await expect(start()).resolves.toMatchObject({ adopted: false });
  });

  it('leaves no process when its database cannot be made', async () => {
    haveData();
    const starting = start({ settings: { default_transaction_read_only: 'on' }, database: 'other' });
    await expect(starting).rejects.toThrow('read-only transaction');
    expect(existsSync(join(dataDir, 'data', 'postmaster.pid'))).toBe(false);
    await expect(start()).resolves.toMatchObject({ adopted: false });
  });

  it('may be stopped many times', async () => {
    haveData();
    const server = await start({ mode: 'child' });
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    expect(await server.exited).toMatchObject({ code: 0 });
  });
});
