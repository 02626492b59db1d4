import pg from 'pg';
import { ADVISORY_LOCKS } from './advisory-locks.js';
import { createDataSource } from './data-source.js';

/**
 * Brings the database to this version. Every replica calls it at its start; an advisory lock lets one of them work while
 * the others wait and then find nothing to do. The lock belongs to its connection, so a killed replica gives it back.
 */
export async function migrate(url: string): Promise<void> {
  const keeper = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // The next statement reports the loss; without a listener the event would end the process.
  keeper.on('error', () => undefined);
  const source = createDataSource(url);
  try {
    await keeper.connect();
    await keeper.query('select pg_advisory_lock($1)', [ADVISORY_LOCKS.migrate]);
    await source.initialize();
    await source.runMigrations();
  } finally {
    if (source.isInitialized) await source.destroy();
    await keeper.end().catch(() => undefined);
  }
}
