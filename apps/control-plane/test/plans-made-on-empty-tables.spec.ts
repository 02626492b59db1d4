import type { FreshDatabase } from '@muster/testing';
import pg from 'pg';
import { ConnectionPool } from '../src/database/connection-pool.js';
import { Statement } from '../src/database/sql.js';
import { BACKOFFS_END, CLAIM_HEADS, CLAIM_LIVE_ATTEMPTS, CLAIM_LIVE_JOBS, CLAIM_WORKERS, WORK_AND_ROOM } from '../src/dispatch/dispatch.sql.js';
import { BEATS_RENEW } from '../src/engine/beats/renew.sql.js';
import { ATTEMPTS_LOCK, JOBS_LOCK, WORKERS_LOCK } from '../src/engine/facts.sql.js';
import { ROWS_STORE } from '../src/engine/store.sql.js';
import { log, testDatabase } from './control-plane-harness.js';

jest.setTimeout(120_000);

const JOBS = 5_000;
/** A scan of the jobs alone reads five times as many. */
const PAGES_MAX = 60;

/** Statistics come late on tables that grow fast; here never. */
const NEVER_ANALYZED = `
  alter table job set (autovacuum_enabled = false);
  alter table attempt set (autovacuum_enabled = false);
  alter table worker set (autovacuum_enabled = false);
`;
/** Half of the jobs completed on one of fifty workers, which hold one each; the others wait in one lane. Many workers are idle. */
const FILL = `
  insert into api_key (id, name, prefix, role, secret_hash, owner) values ('key_1', 'k', 'p', 'worker', '', 'ada');
  insert into lane (owner, needs_hash, needs) values ('ada', 'h', '{}');
  insert into worker (id, machine_id, key_id, owner, name, capability, slots, slots_usable, link, replica_id)
  select 'wkr_' || i, i, 'key_1', 'ada', 'w', 'cpu', 2, 2, 'connected', 'replica_1' from generate_series(1, 50) as i;
  insert into worker (id, machine_id, key_id, owner, name, capability, slots, slots_usable, link)
  select 'wkr_idle_' || i, 'idle ' || i, 'key_1', 'ada', repeat('n', 100), 'cpu', 2, 2, 'connected' from generate_series(1, 5000) as i;
  insert into job (id, owner, name, spec, lane_id, status, reason, priority, finished_at, current_attempt_id)
  select 'job_' || lpad(n::text, 8, '0'), 'ada', repeat('n', 500), '{"needs": {}}', lane.id,
    case when n <= 50 then 'running' when n % 2 = 0 then 'queued' else 'completed' end, 'x', 0,
    case when n > 50 and n % 2 = 1 then now() end, case when n <= 50 then 'att_' || lpad(n::text, 8, '0') end
  from lane, generate_series(1, ${JOBS}) as n;
  insert into attempt (id, job_id, worker_id, number, epoch, state, outcome, ended_at, log_id)
  select 'att_' || lpad(n::text, 8, '0'), 'job_' || lpad(n::text, 8, '0'), 'wkr_' || 1 + n % 50, 1, 1,
    case when n <= 50 then 'running' else 'ended' end, case when n > 50 then 'succeeded' end, case when n > 50 then now() end,
    'att_' || lpad(n::text, 8, '0')
  from generate_series(1, ${JOBS}) as n
  where n <= 50 or n % 2 = 1;
`;

interface Plan {
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
}

const worker = `array['wkr_7']`;
const anEnd = `array['att_00000006']`;
const moved = JSON.stringify([{ id: 'job_00000006', loaded_epoch: 0, loaded_status: 'running', status: 'running', desired: 'run', force: false, reason: 'y', epoch: 0, attempt_count: 1, current_attempt_id: 'att_00000006', failures: 0, losses: 0, refusals: 0, losses_while_running: 0 }]);
/** A statement, what it is planned with, and what it is asked for when the tables have grown. */
const CASES: readonly (readonly [string, Statement, readonly unknown[], string])[] = [
  ['the workers of an end', WORKERS_LOCK, [[]], worker],
  ['the jobs of an end', JOBS_LOCK, [[], [], []], `'{}', ${anEnd}, '{}'`],
  ['the attempts of an end', ATTEMPTS_LOCK, [[], [], []], `'{}', ${anEnd}, '{}'`],
  ['the jobs of a beat', JOBS_LOCK, [[], [], []], `'{}', ${anEnd}, ${worker}`],
  ['the attempts of a beat', ATTEMPTS_LOCK, [[], [], []], `'{}', ${anEnd}, ${worker}`],
  [
    'the beats of many', BEATS_RENEW, [[], [], [], [], [], [], [], [], [], [], 0],
    `array['wkr_7'], array[0], array[false], array[1], array['{}'], array[1], array['wkr_7'], array['att_00000006'], array[1], array[0], 60000`,
  ],
  ['storing a job', ROWS_STORE, ['[]', '[]', '[]', '[]', '[]', 0], `'[]', '${moved}', '[]', '[]', '[]', 0`],
  ['what there is to grant', WORK_AND_ROOM, [[], '', 1_000, []], `array['wkr_7', 'wkr_8'], 'replica_1', 1000, array['wkr_8']`],
  ['the workers of a claim', CLAIM_WORKERS, [[], '', []], `${worker}, 'replica_1', ${worker}`],
  ['the attempts of a claim', CLAIM_LIVE_ATTEMPTS, [[]], worker],
  ['the jobs of a claim', CLAIM_LIVE_JOBS, [[]], worker],
  ['the heads of a claim', CLAIM_HEADS, [[], []], `array[1], array[3]`],
  ['backoffs that are over', BACKOFFS_END, [], ''],
];

describe('plans of a lane that were made while the tables were empty', () => {
  let database: FreshDatabase;
  let lane: ConnectionPool;
  beforeAll(async () => {
    database = await testDatabase();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      await client.query(NEVER_ANALYZED);
      lane = new ConnectionPool({ url: database.url, name: 'lane', size: 1, synchronousCommit: true, isLane: true }, log);
      for (const [, statement, values] of CASES) await lane.query(statement, values);
      await client.query(FILL);
    } finally {
      await client.end();
    }
  });
  afterAll(async () => {
    await lane?.end();
    await database?.drop();
  });

  it.each(CASES)('read few pages when they have grown: %s', async (_, { name }, _values, given) => {
    const execute = given === '' ? `"${name}"` : `"${name}"(${given})`;
    const [row] = await lane.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(new Statement(`explain (analyze, buffers, format json) execute ${execute}`));
    const plan = row?.['QUERY PLAN'][0].Plan;
    expect((plan?.['Shared Hit Blocks'] ?? NaN) + (plan?.['Shared Read Blocks'] ?? NaN)).toBeLessThan(PAGES_MAX);
  });

  it('are made once, not for each batch anew', async () => {
    const [counted] = await lane.query<{ generic: number; custom: number }>(
      new Statement('select sum(generic_plans)::integer as generic, sum(custom_plans)::integer as custom from pg_prepared_statements'),
    );
    expect(counted?.generic).toBeGreaterThan(CASES.length);
    expect(counted?.custom).toBe(0);
  });
});
