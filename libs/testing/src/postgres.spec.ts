import pg from 'pg';
import { freshDatabase } from './postgres.js';

jest.setTimeout(120_000);

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows as unknown[];
  } finally {
    await client.end();
  }
}

describe('a fresh database', () => {
  let migrations = 0;
  const version = `postgres.spec ${process.pid} ${Date.now()}`;
  const migrate = async (url: string): Promise<void> => {
    migrations += 1;
    await query(url, 'create table thing (id integer)');
  };

  it('has the schema, is the caller\'s own, and costs one migration however many there are', async () => {
    const [first, second] = await Promise.all([freshDatabase({ migrate, version }), freshDatabase({ migrate, version })]);
    await query(first.url, 'insert into thing values (1)');
    expect(await query(first.url, 'select * from thing')).toEqual([{ id: 1 }]);
    expect(await query(second.url, 'select * from thing')).toEqual([]);
    expect(migrations).toBe(1);
    await Promise.all([first.drop(), second.drop(), first.drop()]);
  });

  it('is gone after it was dropped, even while somebody is connected', async () => {
    const database = await freshDatabase({ migrate, version });
    const client = new pg.Client({ connectionString: database.url });
    client.on('error', () => undefined);
    await client.connect();
    await database.drop();
    await expect(query(database.url, 'select 1')).rejects.toThrow('does not exist');
    await client.end().catch(() => undefined);
  });
});
