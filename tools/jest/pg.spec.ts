import { freshDatabase, type FreshDatabase } from '@muster/testing';
import pg from 'pg';

jest.setTimeout(120_000);

describe('a connection that specs get', () => {
  let fresh: FreshDatabase;
  beforeAll(async () => {
    fresh = await freshDatabase({ version: 'empty', migrate: async () => undefined });
  });
  afterAll(() => fresh?.drop());

  async function connected<T>(isPipelined: boolean, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const settings: pg.ClientConfig & { pipeline: boolean } = { connectionString: fresh.url, pipeline: isPipelined };
    const client = new pg.Client(settings);
    await client.connect();
    return work(client).finally(() => client.end());
  }

  it('is asked one thing at a time', async () => {
    await connected(false, async (client) => {
      const first = client.query('select 1');
      expect(() => client.query({ text: 'select 2' })).toThrow('"select 2" does not wait for it');
      await first;
      expect((await client.query('select 2')).rowCount).toBe(1);
      await expect(client.query('select 1 / 0')).rejects.toThrow('division by zero');
      expect((await client.query('select 3')).rowCount).toBe(1);
    });
  });

  it('is asked as much as one likes when it is pipelined', async () => {
    await connected(true, async (client) => {
      const answers = await Promise.all([client.query('select 1'), client.query('select 2'), client.query('select 3')]);
      expect(answers).toHaveLength(3);
    });
  });
});
