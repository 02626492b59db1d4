import { eventually, FaultProxy, freshDatabase, type FreshDatabase } from '@muster/testing';
import pg from 'pg';
import { migrate } from '../src/database/migrate.js';
import { withMigrationLock } from '../src/database/migration-lock.js';

jest.setTimeout(120_000);

const LOCKS_HELD = `select count(*)::int as count from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())`;
/** When the holder last said something, in milliseconds since 1970. Those that wait for the lock hold none. */
const HOLDER_SAID = `
  select (extract(epoch from max(state_change)) * 1000)::double precision as count
  from pg_stat_activity
  where pid in (select pid from pg_locks where locktype = 'advisory' and granted)
    and datname = current_database()
`;
/** Longer than a busy machine stands still. */
const SILENT_MS = 5_000;

describe('a start whose wire broke without a word to the server', () => {
  let fresh: FreshDatabase;
  let wire: FaultProxy;
  beforeEach(async () => {
    fresh = await freshDatabase({ version: 'empty', migrate: () => Promise.resolve() });
    wire = await FaultProxy.open({ targets: () => [Number(new URL(fresh.url).port)] });
  });
  afterEach(async () => {
    await wire?.close();
    await fresh?.drop();
  });

  async function ask(statement: string): Promise<number | undefined> {
    const client = new pg.Client({ connectionString: fresh.url });
    await client.connect();
    return client.query<{ count: number }>(statement).then(({ rows }) => rows[0]?.count).finally(() => client.end());
  }

  /** Holds the lock over the wire until it is told to go. */
  async function hold(): Promise<() => Promise<void>> {
    let go: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (go = resolve));
    const url = new URL(fresh.url);
    url.port = String(wire.port);
    const held = withMigrationLock(url.href, () => asked, { silentMs: SILENT_MS });
    await eventually('the lock is held', async () => (await ask(LOCKS_HELD)) === 1);
    return () => {
      go();
      return held;
    };
  }

  it('keeps no later start waiting for its lock', async () => {
    const goes = await hold();
    wire.halfOpen('client');
    await migrate(fresh.url);
    expect(await ask('select count(*)::int as count from migration')).toBe(1);
    await goes();
  });

  it('is waited for while it is heard, and by nobody who has given up', async () => {
    const goes = await hold();
    const giving = new AbortController();
    const waiting = migrate(fresh.url, giving.signal);
    const lastWord = await ask(HOLDER_SAID);
    await eventually('another word of the holder', async () => (await ask(HOLDER_SAID)) !== lastWord);
    expect(await ask(LOCKS_HELD)).toBe(1);
    giving.abort();
    await expect(waiting).rejects.toThrow('aborted');
    await goes();
    await migrate(fresh.url);
  });
});
