import pg from 'pg';
import { ADVISORY_LOCKS } from './advisory-locks.js';
import { createDataSource } from './data-source.js';
import { SPINE_DIGEST } from './migrations/0001-spine.js';

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
 * Brings the database to this version. Every replica calls it at its start; an advisory lock lets one of them work while
 * the others wait and then find nothing to do. The lock belongs to its connection, so a killed replica gives it back.
 *
 * @throws ForeignSchema before anything is changed
 */
export async function migrate(url: string): Promise<void> {
  const keeper = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // The next statement reports the loss; without a listener the event would end the process.
  keeper.on('error', () => undefined);
  const source = createDataSource(url);
  try {
    await keeper.connect();
    await keeper.query('select pg_advisory_lock($1)', [ADVISORY_LOCKS.migrate]);
    await refuseForeign(keeper);
    await source.initialize();
    await source.runMigrations();
  } finally {
    if (source.isInitialized) await source.destroy();
    await keeper.end().catch(() => undefined);
  }
}

async function refuseForeign(keeper: pg.Client): Promise<void> {
  const { rows: [table] } = await keeper.query<{ exists: boolean; digest: string | null }>(MIGRATION_TABLE);
  if (table?.exists !== true || table.digest === SPINE_DIGEST) return;
  // A start that was killed before the first migration leaves an empty table, which is nobody's yet.
  const { rowCount } = await keeper.query('select from migration limit 1');
  if (rowCount !== 0) throw new ForeignSchema();
}
