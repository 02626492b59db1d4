// What PostgreSQL had to do: transactions committed and bytes of its write-ahead log.
import pg from 'pg';

const WORK = `
  select xact_commit::float8 as commits, (pg_current_wal_lsn() - '0/0')::float8 as wal_bytes
  from pg_stat_database where datname = current_database()
`;

/** Counts since the database was made. Sessions report their transactions up to a second late: look when they are quiet. */
export async function databaseWork(databaseUrl) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query(WORK);
    return { commits: rows[0].commits, walKib: rows[0].wal_bytes / 1024 };
  } finally {
    await client.end();
  }
}
