import type { ExecutionReport, Offer } from '@muster/protocol';
import type { FakeAgent, FreshDatabase } from '@muster/testing';
import pg from 'pg';
import { bareDatabase } from './bare-database.js';
import { startHarness, testDatabase } from './control-plane-harness.js';
import { writtenStatements } from './sql/written-statements.js';

jest.setTimeout(180_000);

/** So few that all their versions find room on one page. */
const JOBS = 3;
const BEATS = 3;
const SETTLED = `select n_tup_upd::integer as updates, n_tup_hot_upd::integer as on_page from pg_stat_user_tables where relname = 'attempt'`;
/** What begins a condition of its own: the guards of the store, which compare what was loaded, are none. */
const BY_STATE = /\b(?:where|and) \(*(?:attempt\.)?state <> 'ended'/i;

const lease = ({ attemptId, epoch }: Offer): ExecutionReport => ({ attemptId, epoch, state: 'running' });

describe('attempts that start and are renewed', () => {
  let fresh: FreshDatabase;
  beforeAll(async () => {
    fresh = await testDatabase();
  });
  afterAll(() => fresh?.drop());

  async function startedOn(agent: FakeAgent): Promise<Offer> {
    const offer = await agent.nextOffer();
    expect(await agent.start(offer)).toMatchObject({ kind: 'go' });
    return offer;
  }

  it('stay on their page, and write to no index', async () => {
    const harness = await startHarness({ databaseUrl: fresh.url });
    try {
      const agent = await harness.agent({ slots: JOBS });
      await harness.submitMany(JOBS);
      const held: Offer[] = [];
      while (held.length < JOBS) held.push(await startedOn(agent));
      for (let beat = 0; beat < BEATS; beat += 1) {
        expect((await agent.beat(held.map(lease))).verdicts).toHaveLength(JOBS);
      }
    } finally {
      // What a connection counted is all told when it ends.
      await harness.stop();
    }
    const client = new pg.Client({ connectionString: fresh.url });
    await client.connect();
    const { rows } = await client.query(SETTLED).finally(() => client.end());
    const updates = JOBS * (1 + BEATS);
    expect(rows).toEqual([{ updates, on_page: updates }]);
  });
});

describe('indexes', () => {
  const database = bareDatabase();

  /** What they read of a table, where they say which rows they hold too: a change of none of these stays on its page. */
  async function readByIndexes(table: string): Promise<string[]> {
    const { rows }: pg.QueryResult<{ name: string }> = await database.client.query(
      `select distinct attname as name
      from pg_index
      join pg_attribute on attrelid = indrelid
      left join pg_depend on objid = indexrelid and refobjid = indrelid and refobjsubid = attnum
      where indrelid = $1::regclass
        and (attnum = any(indkey) or refobjsubid is not null)
      order by attname`,
      [table],
    );
    return rows.map(({ name }) => name);
  }

  it('of attempts read nothing that a start or the renewal of a lease changes', async () => {
    expect(await readByIndexes('attempt')).toEqual(['epoch', 'id', 'is_live', 'job_id', 'number', 'worker_id']);
  });

  it('of attempts that are live serve every statement and view that looks for those', async () => {
    const { rows } = await database.client.query<{ text: string }>(`select definition as text from pg_views where schemaname = 'public'`);
    const texts = [...rows, ...writtenStatements()].map(({ text }) => text.replaceAll(/\s+/g, ' '));
    expect(texts.filter((text) => /\bis_live\b/.test(text)).length).toBeGreaterThan(8);
    expect(texts.filter((text) => BY_STATE.test(text))).toEqual([]);
  });

  it('of labels hold no job without any', async () => {
    const { rows } = await database.client.query(`select pg_get_expr(indpred, indrelid) as held from pg_index where indexrelid = 'job_labels'::regclass`);
    expect(rows).toEqual([{ held: `(labels <> '{}'::jsonb)` }]);
  });
});
