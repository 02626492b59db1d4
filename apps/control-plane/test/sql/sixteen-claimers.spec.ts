import pg from 'pg';
import { requirementsOf, toJobSpec } from '@muster/domain';
import type { JobId } from '@muster/protocol';
import { anInventory, type FreshDatabase } from '@muster/testing';
import { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import { CLAIM_HEADS } from '../../src/dispatch/dispatch.sql.js';
import { LaneKeeper } from '../../src/jobs/lane-keeper.js';
import { insertKey } from '../../src/keys/keys.service.js';
import { log, testDatabase } from '../control-plane-harness.js';
import { claimAll, overClaims, type Look } from './claimers.js';

jest.setTimeout(600_000);

const JOBS = 20_000;
const OWNERS = ['ada', 'bob', 'cleo'];
const REPLICAS = Array.from({ length: 8 }, (_, index) => `replica-${index}`);
const WORKERS = 40;
const SLOTS = 40;

const ADD_WORKERS = sql`
  insert into worker (id, machine_id, key_id, owner, name, capability, inventory, slots, slots_usable, link, replica_id, last_beat_at)
  select 'wkr_' || lpad(number::text, 26, '0'), 'machine-' || number, $2, 'workers', 'worker-' || number, 'cpu', $3::jsonb, $4::integer,
    $4::integer, 'connected', ($5::text[])[1 + number % cardinality($5::text[])], now()
  from generate_series(1, $1::integer) as number
`;
const ADD_JOBS = sql`
  insert into job (id, owner, name, spec, lane_id, status, reason, priority)
  select 'job_' || lpad(number::text, 26, '0'), ($3::text[])[1 + number % cardinality($3::text[])], 'load', $2::jsonb,
    ($4::bigint[])[1 + number % cardinality($4::bigint[])], 'queued', 'waiting', number % 3
  from generate_series(1, $1::integer) as number
`;
const LEFT = sql`select status, epoch, attempt_count, count(*) as count from job group by status, epoch, attempt_count`;
const GRANTS = sql`select count(*) as attempts, count(distinct job_id) as jobs from attempt`;

/** Every other way to join, and what keeps a nested loop from running its inner side again. */
const NESTED_LOOPS_ONLY = [
  'enable_hashjoin', 'enable_mergejoin', 'enable_material', 'enable_memoize', 'enable_hashagg', 'enable_sort', 'enable_incremental_sort',
];

/**
 * The form everybody writes first. In a nested loop its inner side runs once for each row of the outer one, and each time
 * it skips what it has taken before and takes as many again.
 */
const WRONG_CLAIM = sql`
  update job
  set status = 'assigned', current_attempt_id = 'att_wrong'
  where id in (select id from job where status = 'queued' and not_before is null order by priority desc, id limit $1 for no key update skip locked)
  returning id
`;

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly Plans?: readonly PlanNode[];
}

let fresh: FreshDatabase;
let database: Database;
let laneIds: number[];

async function open(jobCount: number): Promise<void> {
  fresh = await testDatabase();
  database = new Database(fresh.url, log);
  const spec = toJobSpec({ run: { command: ['/bin/true'] } }, 60_000);
  if (!spec.ok) throw new Error(JSON.stringify(spec.errors));
  laneIds = await database.transaction(async (connection) => {
    const key = await insertKey(connection, { name: 'workers', role: 'worker', owner: 'workers' }, 'test');
    await connection.execute(ADD_WORKERS, [WORKERS, key.id, JSON.stringify(anInventory()), SLOTS, REPLICAS]);
    const lanes = new LaneKeeper();
    const ids: number[] = [];
    for (const owner of OWNERS) ids.push(...(await lanes.idsFor(connection, owner, [requirementsOf(spec.spec)])));
    await connection.execute(ADD_JOBS, [jobCount, JSON.stringify(spec.spec), OWNERS, ids]);
    return ids;
  });
}

async function withClient<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: fresh.url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Runs a claim to see its plan, and takes it back. */
async function planOf(text: string, values: readonly unknown[], settings: readonly string[] = []): Promise<PlanNode[]> {
  return withClient(async (client) => {
    await client.query('begin');
    for (const setting of settings) await client.query(`set local ${setting} = off`);
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`explain (analyze, format json) ${text}`, [...values]);
    await client.query('rollback');
    return flat((rows[0] as (typeof rows)[number])['QUERY PLAN'][0].Plan);
  });
}

function flat(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flat)];
}

/** What the locking part of a plan took, in all its runs. */
function lookOf(nodes: readonly PlanNode[], asked: number): Look {
  const locking = nodes.filter((node) => node['Node Type'] === 'LockRows');
  return { asked, got: locking.reduce((sum, node) => sum + node['Actual Rows'] * node['Actual Loops'], 0) };
}

describe.each([
  { plans: 'the planner\'s own plans', isLane: false, isForced: false },
  { plans: 'nested loops only', isLane: true, isForced: true },
])('sixteen claimers, with $plans', ({ isLane, isForced }) => {
  beforeAll(() => open(JOBS));
  afterAll(async () => {
    await database?.end();
    await fresh?.drop();
  });

  it(`grant each of ${JOBS} jobs once, never more than asked for and never more than there are slots`, async () => {
    const startMs = performance.now();
    const watched = await claimAll({ url: fresh.url, replicaIds: REPLICAS, jobCount: JOBS, isLane, off: isForced ? NESTED_LOOPS_ONLY : [] });
    const seconds = Math.round((performance.now() - startMs) / 100) / 10;
    process.stdout.write(`16 claimers, ${isForced ? 'nested loops' : 'own plans'}: ${JOBS} jobs in ${seconds} s, ${watched.turns} turns, ${watched.empty} empty\n`);

    expect(watched.granted.length).toBe(JOBS);
    expect(new Set(watched.granted as JobId[]).size).toBe(JOBS);
    expect(watched.looks.length).toBeGreaterThan(JOBS / (WORKERS * SLOTS));
    expect(overClaims(watched.looks)).toEqual([]);
    expect(watched.overfull).toEqual([]);
    expect(await database.query(GRANTS)).toEqual([{ attempts: JOBS, jobs: JOBS }]);
    const left = await database.query<{ status: string; epoch: number; attempt_count: number; count: number }>(LEFT);
    expect(left.map(({ epoch, attempt_count }) => [epoch, attempt_count])).toEqual(left.map(() => [1, 1]));
    expect(left.map(({ status }) => status).filter((status) => status !== 'assigned' && status !== 'completed')).toEqual([]);
  });
});

describe('the limit of a claim', () => {
  beforeAll(() => open(400));
  afterAll(async () => {
    await database?.end();
    await fresh?.drop();
  });

  it('holds in the plan itself: the locking part runs once a lane, whatever else the planner may not do', async () => {
    const counts = laneIds.map((_, index) => 3 + index);
    const asked = counts.reduce((sum, count) => sum + count, 0);
    for (const settings of [[], NESTED_LOOPS_ONLY, [...NESTED_LOOPS_ONLY, 'enable_seqscan', 'enable_bitmapscan']]) {
      const nodes = await planOf(CLAIM_HEADS.text, [laneIds, counts], settings);
      const locking = nodes.filter((node) => node['Node Type'] === 'LockRows');
      expect(locking.map((node) => node['Actual Loops'])).toEqual([laneIds.length]);
      expect(lookOf(nodes, asked)).toEqual({ asked, got: asked });
    }
  });

  it('is passed by an update over a subquery in a nested loop, and that is noticed', async () => {
    const asked = 5;
    const isWrongPlan = [...NESTED_LOOPS_ONLY, 'enable_indexscan', 'enable_indexonlyscan', 'enable_bitmapscan'];
    expect(overClaims([lookOf(await planOf(WRONG_CLAIM.text, [asked]), asked)])).toEqual([]);
    const nodes = await planOf(WRONG_CLAIM.text, [asked], isWrongPlan);
    expect(overClaims([lookOf(nodes, asked)])).not.toEqual([]);
    const got = await withClient(async (client) => {
      for (const setting of isWrongPlan) await client.query(`set ${setting} = off`);
      return (await client.query(WRONG_CLAIM.text, [asked])).rowCount ?? 0;
    });
    expect(overClaims([{ asked, got }])).toEqual([{ asked, got }]);
  });
});
