import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startEmbeddedPostgres } from '@muster/local-stack';
import pg from 'pg';

export interface FreshDatabase {
  /** Connection string of a database of this caller's own. */
  readonly url: string;
  /** Drops it, whoever is still connected. May be called many times. */
  drop(): Promise<void>;
}

export interface FreshDatabaseOptions {
  /**
   * Brings an empty database to the wanted schema. Runs once per `version` and server; every fresh database is cloned
   * from the result.
   */
  readonly migrate: (url: string) => Promise<void>;
  /** Names the schema: another version makes another template. */
  readonly version: string;
}

const KEEPER = resolve(import.meta.dirname, '../keeper/postgres-keeper.mjs');
const START_MS = 60_000;

/** The tests need no durability against power cuts, and many short connections. */
const SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '400',
  shared_buffers: '64MB',
  log_min_messages: 'fatal',
} as const;

let server: Promise<{ url: string }> | undefined;

/**
 * A new database with the wanted schema, on a real PostgreSQL that all test processes of this user share. The server is
 * started by the first and ends by itself some seconds after the last test process, however that one ended.
 */
export async function freshDatabase(options: FreshDatabaseOptions): Promise<FreshDatabase> {
  server ??= sharedServer();
  const { url } = await server;
  const template = `template_${createHash('sha256').update(options.version).digest('hex').slice(0, 16)}`;
  const name = `test_${randomBytes(8).toString('hex')}`;
  await withClient(url, async (client) => {
    await ensureTemplate(client, template, (database) => options.migrate(withDatabase(url, database)));
    await client.query(`create database ${name} template ${template}`);
  });
  let dropping: Promise<void> | undefined;
  const drop = (): Promise<void> =>
    withClient(url, async (client) => void (await client.query(`drop database if exists ${name} with (force)`)));
  return { url: withDatabase(url, name), drop: () => (dropping ??= drop()) };
}

/** An advisory lock, held by the connection, lets one process make the template while the others wait for it. */
async function ensureTemplate(client: pg.Client, name: string, migrate: (database: string) => Promise<void>): Promise<void> {
  const lock = Number.parseInt(createHash('sha256').update(name).digest('hex').slice(0, 8), 16);
  await client.query('select pg_advisory_lock($1)', [lock]);
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount) return;
    // Renamed when whole: a process that dies half-way leaves no half template.
    const scratch = `scratch_${randomBytes(8).toString('hex')}`;
    await client.query(`create database ${scratch}`);
    await migrate(scratch);
    await client.query(`alter database ${scratch} rename to ${name}`);
  } finally {
    await client.query('select pg_advisory_unlock($1)', [lock]);
  }
}

async function sharedServer(): Promise<{ url: string }> {
  const { holder, dataDir } = await holdKeeper();
  const postgres = await startEmbeddedPostgres({ dataDir, database: 'postgres', settings: SETTINGS });
  holder.write(`${postgres.pid}\n`);
  // It outlives this process, which must not wait for it to end.
  postgres.child?.unref();
  return { url: postgres.url };
}

interface Held {
  readonly holder: Socket;
  readonly dataDir: string;
}

async function holdKeeper(): Promise<Held> {
  const untilMs = performance.now() + START_MS;
  const path = socketPath();
  for (let tries = 0; ; tries += 1) {
    const held = await tryHold(path);
    if (held) return held;
    if (performance.now() > untilMs) throw new Error(`The keeper of PostgreSQL does not answer at ${path}.`);
    if (tries % 40 === 0) {
      spawn(process.execPath, [KEEPER, path], { detached: true, stdio: 'ignore' }).unref();
    }
    await delay(100);
  }
}

function tryHold(path: string): Promise<Held | undefined> {
  return new Promise((settle) => {
    const holder = connect(path);
    holder.once('error', () => settle(undefined));
    holder.once('data', (bytes) => {
      // It lasts as long as this process, and does not keep it alive.
      holder.unref();
      holder.on('error', () => undefined);
      settle({ holder, dataDir: (JSON.parse(bytes.toString()) as { dataDir: string }).dataDir });
    });
  });
}

/** One keeper per user and checkout. */
function socketPath(): string {
  const key = createHash('sha256').update(`${process.getuid?.() ?? ''} ${KEEPER}`).digest('hex').slice(0, 12);
  return process.platform === 'win32' ? `\\\\.\\pipe\\muster-test-${key}` : join(tmpdir(), `muster-test-${key}.sock`);
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.toString();
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
