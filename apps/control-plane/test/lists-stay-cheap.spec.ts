import { JOB_STATUSES } from '@muster/protocol';
import type { Statement } from '../src/database/sql.js';
import { FLEET_HELD, JOBS_AHEAD } from '../src/jobs/fleet.sql.js';
import { JOBS_PAGE, JOBS_PAGE_OF_LABELS, JOBS_PAGE_OF_WORKER } from '../src/jobs/job-pages.sql.js';
import { EVENTS_OF_JOB } from '../src/jobs/jobs.sql.js';
import { LEASES_EXTEND } from '../src/replicas/replica-marks.sql.js';
import { ATTEMPTS_BORN, JOBS_BORN, JOBS_WALK, LOGS_OWED } from '../src/retention/retention.sql.js';
import { STATS_MOMENTS, TALLIES } from '../src/stats/stats.sql.js';
import { LEASES_OVER } from '../src/workers/sweep.sql.js';
import { WORKERS_SHOWN } from '../src/workers/workers.sql.js';
import { bareDatabase } from './bare-database.js';

jest.setTimeout(180_000);

const FEW = 300;
const MANY = 15_000;
const PAGE = 51;
/** Jobs that are looked at one by one, where an index does not know the answer. */
const LOOKS = 100;
/** Those that do: in a small table they read the whole of it instead, which is less. */
const LOOKING = /nobody has|only old jobs have$|whether logs/;

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
  insert into job (id, owner, name, spec, labels, lane_id, status, reason, priority, finished_at)
  select 'job_' || lpad(n::text, 8, '0'), case when n <= 60 then 'bob' else 'ada' end, 'n', '{}',
    case when n <= 20 then '{"team": "all", "rare": "yes"}'::jsonb else '{"team": "all"}' end, lane.id,
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

/** What happened to them, and the line that each transaction leaves which moved some. */
const HAPPEN = `
  with tallied as (
    insert into job_tally (minute, to_status, jobs) select now(), 'queued', 1 from generate_series($1::integer, $2::integer) as n where n % 100 = 0
  )
  insert into event (id, type, actor, job_id) select 'e', 'job.queued', 'ada', 'job_' || lpad(n::text, 8, '0')
  from generate_series($1::integer, $2::integer) as n, generate_series(1, 3) as times
`;

describe('the pages that a look at jobs reads from the database', () => {
  const database = bareDatabase();
  const costs = new Map<string, { few: number; many: number }>();

  const lookups: readonly (readonly [string, Statement, readonly unknown[]])[] = [
    ['the newest jobs', JOBS_PAGE, page({})],
    ['old jobs of one status behind newer ones', JOBS_PAGE, page({ statuses: ['failed'] })],
    ['old jobs of one owner and status', JOBS_PAGE, page({ statuses: ['failed', 'cancelled'], owner: 'bob' })],
    ['all jobs of one owner', JOBS_PAGE, page({ owner: 'bob' })],
    ['the few jobs of an old worker', JOBS_PAGE_OF_WORKER, [...page({ statuses: null }), 'wkr_1']],
    ['the newest jobs of a worker with nearly all', JOBS_PAGE_OF_WORKER, [...page({ statuses: null }), 'wkr_2']],
    ['a text that nobody has', JOBS_PAGE, page({ text: 'nobody-has-this', looks: LOOKS })],
    ['a text that nobody has, among the jobs of a worker with nearly all', JOBS_PAGE_OF_WORKER, [...page({ statuses: null, text: 'nobody-has-this', looks: LOOKS }), 'wkr_2']],
    ['a label that only old jobs have', JOBS_PAGE, page({ labels: '{"rare": "yes"}', looks: LOOKS })],
    ['a label that only old jobs have, looked up', JOBS_PAGE_OF_LABELS, page({ labels: '{"rare": "yes"}', looks: LOOKS }).slice(0, 11)],
    ['a label that all jobs have, looked up', JOBS_PAGE_OF_LABELS, page({ labels: '{"team": "all"}', looks: LOOKS }).slice(0, 11)],
    ['what happened to a job', EVENTS_OF_JOB, ['job_00000100', 0, PAGE]],
    ['how many jobs there are', TALLIES, []],
    ['since when the oldest waits', STATS_MOMENTS, []],
    ['which jobs were kept long enough', JOBS_WALK, ['completed', '', 'job_9', 1_000, LOOKS]],
    ['whether logs of a partition are owed', LOGS_OWED, ['att_0', 'att_9', LOOKS, 1_000]],
    ['whether events of a partition are owed', JOBS_BORN, ['job_0', 'job_9']],
    ['whether metrics of a partition are owed', ATTEMPTS_BORN, ['att_0', 'att_9']],
    ['a worker with nearly all, and what it holds', WORKERS_SHOWN, [['wkr_2']]],
    ['what is held', FLEET_HELD, []],
    ['leases that are over', LEASES_OVER, [[]]],
    ['leases that are owed time', LEASES_EXTEND, [1_000]],
    ['how many go before the newest queued job', JOBS_AHEAD, [[`job_${String(FEW).padStart(8, '0')}`], 100]],
  ];

  beforeAll(async () => {
    await grow(1, FEW);
    for (const [what, statement, values] of lookups) costs.set(what, { few: await pagesRead(statement, values), many: 0 });
    // What waits is newer than nearly everything.
    await database.client.query(`update job set status = 'completed', finished_at = now() where status = 'queued'`);
    await grow(FEW + 1, MANY - FEW);
    await database.client.query(`update job set status = 'completed', finished_at = now() where status = 'queued'`);
    await grow(MANY - FEW + 1, MANY);
    for (const [what, statement, values] of lookups) costs.set(what, { few: costs.get(what)?.few ?? 0, many: await pagesRead(statement, values) });
  });

  async function grow(from: number, to: number): Promise<void> {
    await database.client.query(FILL, [from, to]);
    await database.client.query(GIVE, [from, to]);
    await database.client.query(HAPPEN, [from, to]);
    await database.client.query('vacuum analyze job, attempt, event, job_tally');
  }

  async function pagesRead(statement: Statement, values: readonly unknown[]): Promise<number> {
    await database.client.query('set plan_cache_mode = force_custom_plan');
    await database.client.query(`set enable_seqscan = ${statement === JOBS_PAGE_OF_LABELS ? 'off' : 'on'}`);
    const { rows } = await database.client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`explain (analyze, buffers, format json) ${statement.text}`, [...values]);
    const plan = rows[0]?.['QUERY PLAN'][0].Plan;
    return (plan?.['Shared Hit Blocks'] ?? NaN) + (plan?.['Shared Read Blocks'] ?? NaN);
  }

  it.each(lookups.map(([what]) => what))('stay as few with fifty times the jobs: %s', (what) => {
    const { few, many } = costs.get(what) ?? { few: NaN, many: NaN };
    // Trees grow a level or two; a scan would read thousands.
    expect(many).toBeLessThan(3 * few + 60 + (LOOKING.test(what) ? 8 * LOOKS : 0));
  });
});

interface Asked {
  readonly statuses?: readonly string[] | null;
  readonly owner?: string | null;
  readonly labels?: string | null;
  readonly text?: string | null;
  readonly looks?: number;
}

function page({ statuses = JOB_STATUSES, owner = null, labels = null, text = null, looks = PAGE }: Asked): unknown[] {
  return [null, statuses, owner, labels, text, null, null, null, PAGE, looks, null];
}
