import { DataSource } from 'typeorm';
import { Spine0001 } from './migrations/0001-spine.js';

/** All migrations, oldest first: imported classes, so that nothing depends on how files lie on disk. */
const MIGRATIONS = [Spine0001];
/** As they are noted in the database. */
export const MIGRATION_NAMES: readonly string[] = MIGRATIONS.map((Migration) => new Migration().name);

/** Far longer than a migration takes: only a connection that went silent runs into it, and the start is tried again. */
const ANSWER_MS = 30 * 60_000;
/** The server undoes a migration of which it has heard nothing for this long between two statements. */
const SILENCE = '-c idle_in_transaction_session_timeout=20s';

/** TypeORM's view of the database: migrations and look-ups by id. Written SQL goes through `Database`. */
export function createDataSource(url: string): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    entities: [],
    migrations: MIGRATIONS,
    migrationsTableName: 'migration',
    // Each migration commits by itself: a crash between two leaves the first one applied and recorded.
    migrationsTransactionMode: 'each',
    installExtensions: false,
    synchronize: false,
    logging: false,
    poolSize: 2,
    extra: { application_name: 'muster typeorm', connectionTimeoutMillis: 5_000, query_timeout: ANSWER_MS, keepAlive: true, options: SILENCE },
  });
}
