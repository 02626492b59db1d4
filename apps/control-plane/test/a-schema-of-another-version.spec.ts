import { freshDatabase, type FreshDatabase } from '@muster/testing';
import pg from 'pg';
import { ForeignSchema, migrate } from '../src/database/migrate.js';
import { testDatabase } from './control-plane-harness.js';

jest.setTimeout(120_000);

const REFUSAL = 'This database was made by another development version of Muster: start with a new data directory or an empty database.';

describe('a database', () => {
  let fresh: FreshDatabase;
  afterEach(() => fresh?.drop());

  async function run(statement: string): Promise<unknown[]> {
    const client = new pg.Client({ connectionString: fresh.url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end();
    }
  }

  it('that this version made is taken again and again, also as a copy of a template', async () => {
    fresh = await testDatabase();
    await migrate(fresh.url);
    await Promise.all([migrate(fresh.url), migrate(fresh.url)]);
    expect(await run('select count(*)::int as count from migration')).toEqual([{ count: 1 }]);
  });

  it.each([
    ['with another text of the schema', `comment on table migration is 'of last week'`],
    ['before the text was noted', 'comment on table migration is null'],
  ])('that another development version made %s is refused in one sentence, before anything is done', async (_when, before) => {
    fresh = await testDatabase();
    await run(before);
    await run(`update migration set name = 'Earlier1'`);
    await expect(migrate(fresh.url)).rejects.toThrow(new ForeignSchema());
    await expect(migrate(fresh.url)).rejects.toThrow(REFUSAL);
    expect(await run('select name from migration')).toEqual([{ name: 'Earlier1' }]);
  });

  it('whose first start was killed before its first migration is finished by the next', async () => {
    fresh = await freshDatabase({ version: 'empty', migrate: () => Promise.resolve() });
    await run('create table migration (id serial primary key, timestamp bigint not null, name character varying not null)');
    await migrate(fresh.url);
    await migrate(fresh.url);
    expect(await run('select count(*)::int as count from worker')).toEqual([{ count: 0 }]);
  });
});
