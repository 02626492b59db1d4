import { JOB_STATUSES } from '@muster/protocol';
import type { FreshDatabase } from '@muster/testing';
import pg from 'pg';
import type { Statement } from '../src/database/sql.js';
import { JOBS_AHEAD } from '../src/jobs/fleet.sql.js';
import { JOBS_PAGE, JOBS_PAGE_OF_WORKER } from '../src/jobs/jobs.sql.js';
import { testDatabase } from './control-plane-harness.js';

jest.setTimeout(180_000);

const FEW = 300;
const MANY = 15_000;
const PAGE = 51;

interface Plan {
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
}

/** Old jobs of every kind that is looked for, and after them as many newer ones, queued and completed, as are asked for. */
const FILL = `
  with key as (
    insert into api_key (id, name, prefix, role, secret_hash, owner) values ('key_1', 'k', 'p', 'admin', '', 'ada') on conflict do nothing
  ), lane as (
    insert into lane (owner, needs_hash, needs) values ('ada', 'h', '{}') on conflict (owner, needs_hash) do update set needs = '{}' returning id
  )
  insert into job (id, owner, name, spec, lane_id, status, reason, priority, finished_at)
  select 'job_' || lpad(n::text, 8, '0'), case when n <= 60 then 'bob' else 'ada' end, 'n', '{}', lane.id,
    case when n <= 60 then 'failed' when n % 2 = 0 then 'queued' else 'completed' end, 'x', 0,
    case when n > 60 and n % 2 = 0 then null else now() end
  from lane, generate_series($1::integer, $2::integer) as n
`;

/** Each tenth of a hundred of the old jobs was on the one worker, all the others on the other. */
const GIVE = `
  with w as (
    insert into worker (id, machine_id, key_id, owner, name, capability, slots)
    select 'wkr_' || i, i, 'key_1', 'ada', 'w', 'cpu', 1 from generate_series(1, 2) as i on conflict do nothing
  )
  insert into attempt (id, job_id, worker_id, number, epoch, state, outcome, ended_at, log_id)
  select 'att_' || lpad(n::text, 8, '0'), 'job_' || lpad(n::text, 8, '0'), case when n <= 100 and n % 10 = 0 then 'wkr_1' else 'wkr_2' end,
    1, 1, 'ended', 'succeeded', now(), 'att_' || lpad(n::text, 8, '0')
  from generate_series($1::integer, $2::integer) as n
`;

describe('the pages that a look at jobs reads from the database', () => {
  let database: FreshDatabase;
  let client: pg.Client;
  const costs = new Map<string, { few: number; many: number }>();

  const lookups: readonly (readonly [string, Statement, readonly unknown[]])[] = [
    ['the newest jobs', JOBS_PAGE, page({})],
    ['old jobs of one status behind newer ones', JOBS_PAGE, page({ statuses: ['failed'] })],
    ['old jobs of one owner and status', JOBS_PAGE, page({ statuses: ['failed', 'cancelled'], owner: 'bob' })],
    ['all jobs of one owner', JOBS_PAGE, page({ owner: 'bob' })],
    ['the few jobs of an old worker', JOBS_PAGE_OF_WORKER, [...page({}), 'wkr_1']],
    ['the newest jobs of a worker with nearly all', JOBS_PAGE_OF_WORKER, [...page({}), 'wkr_2']],
    ['how many go before the newest queued job', JOBS_AHEAD, [[`job_${String(FEW).padStart(8, '0')}`], 100]],
  ];

  beforeAll(async () => {
    database = await testDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await grow(1, FEW);
    for (const [what, statement, values] of lookups) costs.set(what, { few: await pagesRead(statement, values), many: 0 });
    await grow(FEW + 1, MANY);
    for (const [what, statement, values] of lookups) costs.set(what, { few: costs.get(what)?.few ?? 0, many: await pagesRead(statement, values) });
  });
  afterAll(async () => {
    await client?.end();
    await database?.drop();
  });

  async function grow(from: number, to: number): Promise<void> {
    await client.query(FILL, [from, to]);
    await client.query(GIVE, [from, to]);
    await client.query('vacuum analyze job, attempt');
  }

  async function pagesRead({ text }: Statement, values: readonly unknown[]): Promise<number> {
    await client.query('set plan_cache_mode = force_custom_plan');
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`explain (analyze, buffers, format json) ${text}`, [...values]);
    const plan = rows[0]?.['QUERY PLAN'][0].Plan;
    return (plan?.['Shared Hit Blocks'] ?? NaN) + (plan?.['Shared Read Blocks'] ?? NaN);
  }

  it.each(lookups.map(([what]) => what))('stay as few with fifty times the jobs: %s', (what) => {
    const { few, many } = costs.get(what) ?? { few: NaN, many: NaN };
    // Trees grow a level or two; a scan would read thousands.
    expect(many).toBeLessThan(3 * few + 60);
  });
});

function page({ statuses = JOB_STATUSES, owner = null }: { statuses?: readonly string[]; owner?: string | null }): unknown[] {
  return [null, statuses, owner, null, null, null, null, null, PAGE];
}
