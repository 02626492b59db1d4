import type { Statement } from '../src/database/sql.js';
import { ROLL_UP_HOURS, ROLL_UP_MINUTES, SAMPLES_READ } from '../src/samples/samples.sql.js';
import { countWorkers, type StandingCountRow } from '../src/workers/worker-stats.js';
import { WORKERS_LOOKED, WORKERS_SHOWN, WORKERS_STANDING } from '../src/workers/workers.sql.js';
import { bareDatabase } from './bare-database.js';

jest.setTimeout(180_000);

const FEW = 250;
const MANY = 10_000;
const LOOKS = 200;
/** Longer than any test takes: nobody beats here again. */
const W = 3_600_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Workers that beat now, each with a running job that is not stored here: what they hold is read from attempts alone. */
const FILL = `
  insert into worker (id, machine_id, key_id, owner, name, capability, content_types, labels, slots, slots_usable, link, last_beat_at, inventory)
  select 'wkr_' || lpad(n::text, 8, '0'), n, 'key_1', 'ada', 'w' || n, case when n % 3 = 0 then 'gpu' else 'cpu' end, '{image}',
    '{"zone": "lab"}', 1 + n % 4, 1 + n % 4, 'connected', now(), jsonb_build_object('cpuModel', repeat('x', 1200))
  from generate_series($1::integer, $2::integer) as n
`;
/** Looks at workers $1 to $2, one in a minute for $3 minutes up to now, and two hours of them by the minute. */
const WATCH = `
  with clock as (
    select (extract(epoch from now()) * 1000)::bigint / 60000 * 60000 as now_ms
  ), raw as (
    insert into sample_raw (worker_id, subject, at_ms, measured)
    select 'wkr_' || lpad(n::text, 8, '0'), 'machine', now_ms - minute * 60000 - 20000, '{1,2,3}'
    from clock, generate_series($1::integer, $2::integer) as n, generate_series(0, $3::integer - 1) as minute
  )
  insert into sample_minute (worker_id, subject, at_ms, samples, counts, means, lows, highs)
  select 'wkr_' || lpad(n::text, 8, '0'), 'machine', now_ms - minute * 60000, 1, '{1}', '{1}', '{1}', '{1}'
  from clock, generate_series($1, $2) as n, generate_series(60, 179) as minute
`;

interface Plan {
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly 'Subplan Name'?: string;
  readonly Plans?: readonly Plan[];
}

describe('the pages that a look at workers reads from the database', () => {
  const database = bareDatabase();
  beforeAll(async () => {
    await database.client.query(`insert into api_key (id, name, prefix, role, secret_hash, owner) values ('key_1', 'k', 'p', 'worker', '', 'ada')`);
  });

  async function pagesRead(statement: Statement, values: readonly unknown[]): Promise<number> {
    await database.client.query('set plan_cache_mode = force_custom_plan');
    await database.client.query('begin');
    const { rows } = await database.client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`explain (analyze, buffers, format json) ${statement.text}`, [...values]);
    await database.client.query('rollback');
    const plan = rows[0]?.['QUERY PLAN'][0].Plan;
    // What writes beside the statement itself runs after it, and is not counted with it.
    const parts = [plan, ...(plan?.Plans ?? []).filter((part) => part['Subplan Name'] === 'CTE made')];
    return parts.reduce((pages, part) => pages + (part?.['Shared Hit Blocks'] ?? NaN) + (part?.['Shared Read Blocks'] ?? NaN), 0);
  }

  it('stay as few with forty times the workers, whatever is asked for, and counting them tells few kinds', async () => {
    const looks: readonly (readonly [Statement, readonly unknown[]])[] = [
      [WORKERS_LOOKED, [null, LOOKS, null, null, null, null, false]],
      [WORKERS_LOOKED, [null, LOOKS, 'nobody', ['hybrid'], 'audio', 'eve', true]],
      [WORKERS_SHOWN, [['wkr_00000007', 'wkr_00000070']]],
    ];
    await database.client.query(FILL, [1, FEW]);
    await database.client.query('vacuum analyze worker');
    const few: number[] = [];
    for (const [statement, values] of looks) few.push(await pagesRead(statement, values));
    await database.client.query(FILL, [FEW + 1, MANY]);
    await database.client.query('vacuum analyze worker');
    for (const [index, [statement, values]] of looks.entries()) {
      expect(await pagesRead(statement, values)).toBeLessThan(3 * (few[index] ?? NaN) + 5 * LOOKS);
    }
    const { rows } = await database.client.query<StandingCountRow>(WORKERS_STANDING.text, [W]);
    expect(rows.length).toBeLessThan(20);
    expect(countWorkers(rows, W)).toMatchObject({ total: MANY, online: MANY, available: MANY, gpuWorkers: Math.floor(MANY / 3) });
  });

  it('stay as few for one worker beside hundreds, and for the roll-up however much came before', async () => {
    await database.client.query(WATCH, [1, 4, 180]);
    await database.client.query('vacuum analyze sample_raw, sample_minute');
    const nowMs = Math.floor(Date.now() / MINUTE) * MINUTE;
    const hour = ['wkr_00000002', null, nowMs - 2 * HOUR, nowMs, MINUTE, 'minute'];
    const few = await pagesRead(SAMPLES_READ, hour);
    await database.client.query(WATCH, [5, 400, 180]);
    await database.client.query('vacuum analyze sample_raw, sample_minute');
    expect(await pagesRead(SAMPLES_READ, hour)).toBeLessThan(2 * few + 300);
    // One minute of 400 workers out of three hours of them: 400 rows read, 400 made.
    await database.client.query(`update sample_rollup set rolled_to_ms = $1::bigint where resolution = 'minute'`, [nowMs - 10 * MINUTE]);
    const oneMinute = await pagesRead(ROLL_UP_MINUTES, [15_000, MINUTE, 90 * 24 * HOUR]);
    const tenMinutes = await pagesRead(ROLL_UP_MINUTES, [15_000, 10 * MINUTE, 90 * 24 * HOUR]);
    expect(oneMinute).toBeLessThan(tenMinutes / 3);
    await database.client.query(`update sample_rollup set rolled_to_ms = $1::bigint where resolution = 'hour'`, [Math.floor(nowMs / HOUR) * HOUR]);
    expect(await pagesRead(ROLL_UP_HOURS, [HOUR, 90 * 24 * HOUR])).toBeLessThan(200);
  });
});
