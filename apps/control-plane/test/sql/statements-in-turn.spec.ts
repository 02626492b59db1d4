import type { FreshDatabase } from '@muster/testing';
import { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import { log, startHarness, testDatabase } from '../control-plane-harness.js';

jest.setTimeout(120_000);

const LANE_ADD = sql`insert into lane (owner, needs_hash, needs) values ($1, 'hash', '{}')`;
const LANES_COUNT = sql`select count(*) as count from lane`;
const FAIL = sql`select 1 / 0`;
/** Answers that come in one piece, and in several. */
const TIMES = 30;

const NO_START = sql`
  create function refuse() returns trigger language plpgsql as $$ begin raise exception 'disk full' using errcode = '53100'; end $$
`;
const NO_START_NOW = sql`create trigger refused before update on attempt for each row when (new.state = 'running') execute function refuse()`;

describe.each(['shared', 'transitions'] as const)('statements of a transaction on %s that are sent without waiting', (pool) => {
  let fresh: FreshDatabase;
  let database: Database;
  beforeAll(async () => {
    fresh = await testDatabase();
    database = new Database(fresh.url, log);
  });
  afterAll(async () => {
    await database?.end();
    await fresh?.drop();
  });

  const transaction: Database['transaction'] = (work) => (pool === 'shared' ? database.transaction(work) : database.lane(pool).transaction(work));
  const count = async (): Promise<number | undefined> => (await database.query<{ count: number }>(LANES_COUNT))[0]?.count;

  it('are undone with it when what decides throws', async () => {
    const thrown = transaction(async (open) => {
      for (const owner of ['ada', 'ben', 'eve']) open.send(LANE_ADD, [owner]);
      throw new Error('decided otherwise');
    });
    await expect(thrown).rejects.toThrow('decided otherwise');
    expect(await count()).toBe(0);
  });

  it('are undone with it when one fails, whose reason is thrown, whenever that is heard', async () => {
    for (let time = 0; time < TIMES; time += 1) {
      const failed = transaction(async (open) => {
        open.send(LANE_ADD, ['ada']);
        open.send(FAIL);
        open.send(LANE_ADD, ['ben']);
      });
      await expect(failed).rejects.toThrow('division by zero');
    }
    expect(await count()).toBe(0);
  });

  it('fail what is waited for behind them with their own reason', async () => {
    for (let time = 0; time < TIMES; time += 1) {
      const failed = transaction(async (open) => {
        open.send(FAIL);
        return open.query(LANES_COUNT);
      });
      await expect(failed).rejects.toThrow('division by zero');
    }
  });

  it('are carried out in the order they were sent, before those that are waited for', async () => {
    const seen = await transaction(async (open) => {
      open.send(LANE_ADD, ['ada']);
      open.send(LANE_ADD, ['ben']);
      return open.query(LANES_COUNT);
    });
    expect(seen).toEqual([{ count: 2 }]);
  });
});

describe('a start that the database does not take', () => {
  it('is never granted', async () => {
    const harness = await startHarness();
    try {
      const agent = await harness.agent();
      await harness.submit();
      const offer = await agent.nextOffer();
      await harness.database.execute(NO_START);
      await harness.database.execute(NO_START_NOW);
      for (let time = 0; time < TIMES; time += 1) await expect(agent.start(offer)).rejects.toThrow();
      expect(await harness.attempts(offer.jobId)).toMatchObject([{ state: 'offered' }]);
    } finally {
      await harness.stop();
    }
  });
});
