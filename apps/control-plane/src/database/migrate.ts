import pg from 'pg';
import { createDataSource, MIGRATION_NAMES } from './data-source.js';
import { withMigrationLock } from './migration-lock.js';
import { SPINE_DIGEST } from './migrations/0001-spine.js';

/** Longer than reading a few names takes: only a connection that went silent runs into it, and the start is tried again. */
const ANSWER_MS = 20_000;
const MIGRATION_TABLE = `
  select to_regclass('migration') is not null as exists, obj_description(to_regclass('migration'), 'pg_class') as digest
`;

/** The database has tables that another text of the schema made. Nothing was read from it or changed in it. */
export class ForeignSchema extends Error {
  constructor() {
    super('This database was made by another development version of Muster: start with a new data directory or an empty database.');
    this.name = 'ForeignSchema';
  }
}

/**
 * Brings the database to this version. Every replica calls it at its start: one that finds nothing to do asks for no more, the
 * first of the others does it while the rest wait.
 *
 * @param signal gives up waiting for another replica that is at it
 * @throws ForeignSchema before anything is changed
 */
export async function migrate(url: string, signal?: AbortSignal): Promise<void> {
  if (await isCurrent(url)) return;
  await withMigrationLock(url, async () => {
    if (!(await isCurrent(url))) await runMigrations(url);
  }, { signal });
}

async function isCurrent(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, query_timeout: ANSWER_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows: [table] } = await client.query<{ exists: boolean; digest: string | null }>(MIGRATION_TABLE);
    if (table?.exists !== true) return false;
    const { rows } = await client.query<{ name: string }>('select name from migration');
    // A start that was killed before the first migration leaves an empty table, which is nobody's yet.
    if (table.digest !== SPINE_DIGEST && rows.length > 0) throw new ForeignSchema();
    const done = new Set(rows.map(({ name }) => name));
    return MIGRATION_NAMES.every((name) => done.has(name));
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function runMigrations(url: string): Promise<void> {
  const source = createDataSource(url);
  try {
    await source.initialize();
    await source.runMigrations();
  } finally {
    if (source.isInitialized) await source.destroy();
  }
}
