// EXPLAIN (ANALYZE, BUFFERS) of the product's own statements, as its connections would run them.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { JOB_STATUSES } from '@muster/protocol';
import pg from 'pg';
import { ROOT } from '../../lib/root.mjs';
import { finishedId, queuedId } from './fill.mjs';

const PAGE = 51;
/** Jobs that one request looks at. */
const LOOKS = 1_800;
const DAY_MS = 86_400_000;
/** As in connection-pool.ts: what a grouped writer sets. */
const LANE_SETTINGS = ['set enable_seqscan = off', 'set enable_mergejoin = off', 'set enable_hashjoin = off'];

const statements = (path) => import(pathToFileURL(join(ROOT, 'apps', 'control-plane', 'dist', path)).href);

/**
 * @returns {Promise<{ name: string, ms: number, buffers: number, text: string }[]>}
 */
export async function explainAll(databaseUrl, facts) {
  const cases = await casesOf(facts);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const plans = [];
    for (const one of cases) {
      const plan = await explain(client, one).catch((error) => unexplained(error));
      plans.push({ name: one.name, ...plan });
    }
    return plans;
  } finally {
    await client.end();
  }
}

/** The rest of a long run is worth having; its smoke run, which asks for a number everywhere, fails by this one. */
function unexplained({ message }) {
  return {
    ms: Number.NaN,
    buffers: Number.NaN,
    text: `Not explained. Has the statement other parameters now? ${message}`,
  };
}

/** In a transaction that is rolled back: the statement really runs. Twice, so that the second finds its pages in memory. */
async function explain(client, { statement, values, isLane, isPlannedForValues = false, isByIndexes = false }) {
  const settings = [
    ...(isLane ? LANE_SETTINGS : []),
    ...(isByIndexes ? ['set enable_seqscan = off'] : []),
    `set plan_cache_mode = ${isPlannedForValues ? 'force_custom_plan' : 'force_generic_plan'}`,
  ];
  const shown = values.map(literal).join(', ');
  let text = '';
  for (let turn = 0; turn < 2; turn++) {
    await client.query('begin');
    try {
      for (const setting of settings) await client.query(setting.replace('set ', 'set local '));
      await client.query(`prepare shown as ${statement.text}`);
      const { rows } = await client.query(
        `explain (analyze, buffers) execute shown${values.length > 0 ? `(${shown})` : ''}`,
      );
      text = rows.map((row) => row['QUERY PLAN']).join('\n');
    } finally {
      await client.query('rollback');
      await client.query('deallocate all');
    }
  }
  return { ...factsOf(text), text };
}

/** Time and pages of the whole statement, read from the plan's words. Pure. */
export function factsOf(plan) {
  const ms = Number(/Execution Time: ([\d.]+) ms/.exec(plan)?.[1] ?? Number.NaN);
  const first = /Buffers: shared (.*)/.exec(plan)?.[1] ?? '';
  const pages = (word) => Number(new RegExp(`${word}=(\\d+)`).exec(first)?.[1] ?? 0);
  return { ms, buffers: pages('hit') + pages('read') };
}

function literal(value) {
  if (value === null) return 'null';
  if (Array.isArray(value))
    return `array[${value.map(literal).join(', ')}]${typeof value[0] === 'number' ? '::bigint[]' : '::text[]'}`;
  if (typeof value === 'number') return String(value);
  return pg.escapeLiteral(value);
}

async function casesOf({ count, workerId, replicaId, laneIds }) {
  const jobs = await statements('jobs/jobs.sql.js');
  const pages = await statements('jobs/job-pages.sql.js');
  const stats = await statements('stats/stats.sql.js');
  const workers = await statements('workers/workers.sql.js');
  const retention = await statements('retention/retention.sql.js');
  const fleet = await statements('jobs/fleet.sql.js');
  const dispatch = await statements('dispatch/dispatch.sql.js');
  const sweep = await statements('workers/sweep.sql.js');
  const middle = Math.ceil(count / 2);
  const page = ({ worker, looks = PAGE, statement = pages.JOBS_PAGE, ...changes }) => {
    const filter = {
      cursor: null,
      status: JOB_STATUSES,
      owner: null,
      labels: null,
      text: null,
      after: null,
      before: null,
      prefix: null,
      ...changes,
    };
    const values = [...Object.values(filter), PAGE, looks, null];
    const ofWorker = [values[0], changes.status ?? null, ...values.slice(2), worker];
    return {
      statement: worker === undefined ? statement : pages.JOBS_PAGE_OF_WORKER,
      isLane: false,
      isPlannedForValues: true,
      isByIndexes: statement === pages.JOBS_PAGE_OF_LABELS,
      values: worker === undefined ? values : ofWorker,
    };
  };
  return [
    { name: 'list', ...page({}) },
    { name: 'list queued', ...page({ status: ['queued'] }) },
    { name: 'list failed', ...page({ status: ['failed'] }) },
    { name: 'list open (three statuses)', ...page({ status: ['queued', 'assigned', 'running'] }) },
    { name: 'list running, none', ...page({ status: ['running'] }) },
    { name: 'list of an owner', ...page({ owner: 'owner-3' }) },
    { name: 'list completed of an owner', ...page({ owner: 'owner-3', status: ['completed'] }) },
    { name: 'list with a label, among the newest', ...page({ labels: '{"experiment": "77"}', looks: LOOKS }) },
    {
      name: 'list with a label, looked up',
      ...page({ labels: '{"experiment": "77"}', looks: LOOKS, statement: pages.JOBS_PAGE_OF_LABELS }),
    },
    {
      name: 'list with a label that a tenth have, looked up',
      ...page({ labels: '{"team": "owner-3"}', looks: LOOKS, statement: pages.JOBS_PAGE_OF_LABELS }),
    },
    { name: 'list of a worker', ...page({ worker: workerId }) },
    { name: 'list by a text nobody has, one request', ...page({ text: 'nobody-has-this', looks: LOOKS }) },
    { name: 'list cancelled of a worker', ...page({ worker: workerId, status: ['cancelled'], looks: LOOKS }) },
    { name: 'list by first characters', ...page({ prefix: queuedId(middle).slice(0, 24) }) },
    { name: 'list, page in the middle', ...page({ cursor: finishedId(middle) }) },
    { name: 'get', statement: jobs.JOBS_BY_ID, values: [[finishedId(middle)]] },
    { name: 'events of a job', statement: jobs.EVENTS_OF_JOB, values: [finishedId(middle), 0, 51] },
    { name: 'who goes before a job', statement: fleet.JOBS_AHEAD, values: [[queuedId(middle)], 1000] },
    // Nobody does, so that nothing ends the search early.
    { name: 'who goes before the first', statement: fleet.JOBS_AHEAD, values: [[queuedId(2)], 1000] },
    { name: 'what the fleet holds', statement: fleet.FLEET_HELD, values: [] },
    {
      name: 'lanes with jobs, workers with room',
      statement: dispatch.WORK_AND_ROOM,
      values: [[workerId], replicaId, 1_000, []],
      isLane: true,
    },
    { name: 'heads of lanes', statement: dispatch.CLAIM_HEADS, values: [laneIds, laneIds.map(() => 8)], isLane: true },
    { name: 'backoffs that are over', statement: dispatch.BACKOFFS_END, values: [], isLane: true },
    { name: 'running by owner', statement: dispatch.ACTIVE_BY_OWNER, values: [], isLane: true },
    { name: 'queue limits passed', statement: sweep.QUEUE_LIMITS_PASSED, values: [] },
    { name: 'counts of jobs', statement: stats.TALLIES, values: [] },
    { name: 'since when the oldest waits', statement: stats.STATS_MOMENTS, values: [] },
    { name: 'counts of workers', statement: workers.WORKERS_STANDING, values: [60_000] },
    { name: 'jobs kept long enough', statement: retention.JOBS_WALK, values: ['completed', '', 'job_1', DAY_MS, 200] },
    { name: 'whether a log is owed', statement: retention.LOGS_OWED, values: ['att_0', 'att_1', 500, DAY_MS / 2] },
  ];
}
