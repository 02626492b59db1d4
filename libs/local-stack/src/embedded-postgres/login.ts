import { realpath } from 'node:fs/promises';
import { Client } from 'pg';
import { SUPERUSER } from './cluster.js';

export interface Address {
  readonly port: number;
  readonly password: string;
}

export function urlOf({ port, password }: Address, database: string): string {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
}

/** Runs `work` on one connection to the server's own database and always closes it. */
export async function withConnection<T>(address: Address, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: urlOf(address, 'postgres'), connectionTimeoutMillis: 5_000 });
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

/** Makes the database unless it exists. */
export async function ensureDatabase(address: Address, database: string): Promise<void> {
  await withConnection(address, async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`);
  });
}
