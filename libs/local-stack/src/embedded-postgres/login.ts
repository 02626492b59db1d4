import { realpath } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, DatabaseError } from 'pg';
import { SUPERUSER } from './cluster.js';

/** Longer than the slowest of our statements takes, which makes a database; only a server that went silent runs into it. */
const ANSWER_MS = 60_000;

export interface Address {
  readonly port: number;
  readonly password: string;
}

export function urlOf({ port, password }: Address, database: string): string {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

/** Runs `work` on one connection to the server's own database and always closes it. */
export async function withConnection<T>(address: Address, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: urlOf(address, 'postgres'), connectionTimeoutMillis: 5_000, query_timeout: ANSWER_MS });
  // A server that goes away while we close is no news.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Whether a login there succeeds and the server answers that it works in this cluster. */
export async function answersAs(address: Address, clusterDir: string): Promise<boolean> {
  try {
    const answered = await withConnection(address, async (client) => {
      const { rows } = await client.query<{ directory: string }>(
        "select current_setting('data_directory') as directory",
      );
      return rows[0]?.directory;
    });
    return answered !== undefined && (await realpath(answered)) === (await realpath(clusterDir));
  } catch {
    return false;
  }
}

/** Once it took a login, a server may still be too busy for the next one. */
const AGAIN_AFTER_MS = 100;

/**
 * Repeats what never came to an answer, until that time (of `performance.now()`); what the server refuses is thrown at once,
 * and so is the last error when the time is over.
 */
export async function untilAnswered<T>(work: () => Promise<T>, untilMs: number, signal?: AbortSignal): Promise<T> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (isRefusal(error) || performance.now() > untilMs) throw error;
    }
    await delay(AGAIN_AFTER_MS);
  }
}

/** Class 57P: it starts, stops or recovers. */
const isRefusal = (error: unknown): boolean => error instanceof DatabaseError && !error.code?.startsWith('57P');

/** Makes the database unless it exists. */
export async function ensureDatabase(address: Address, database: string): Promise<void> {
  await withConnection(address, async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`);
  });
}
