/** PostgreSQL with a clock that the test sets: the product's statements run as they are written, in another time. */
import pg from 'pg';
import { sql } from '../../src/database/sql.js';

/**
 * Functions of the same names, found before PostgreSQL's own by every connection made from now on. A connection whose
 * clock was never set keeps the real time.
 */
const VIRTUAL_CLOCK = `
create schema virtual;
create function virtual.clock_timestamp() returns timestamptz stable language sql as $body$
  select coalesce(
    to_timestamp(nullif(current_setting('virtual.now_ms', true), '')::double precision / 1000.0),
    pg_catalog.clock_timestamp()
  )
$body$;
create function virtual.now() returns timestamptz stable language sql as 'select virtual.clock_timestamp()';
do $$ begin
  execute format('alter database %I set search_path = virtual, pg_catalog, public', current_database());
end $$;
`;

/** Sets the clock of one connection, in milliseconds since 1970 given as text; undone when its transaction is. */
export const CLOCK_SET = sql`select set_config('virtual.now_ms', $1, false)`;

export async function installVirtualClock(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(VIRTUAL_CLOCK);
  } finally {
    await client.end();
  }
}
