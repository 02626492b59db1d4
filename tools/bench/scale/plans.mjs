// EXPLAIN (ANALYZE, BUFFERS) of the product's own statements, as its connections would run them.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { JOB_STATUSES } from '@muster/protocol';
import pg from 'pg';
import { ROOT } from '../../lib/root.mjs';
import { finishedId, queuedId } from './fill.mjs';

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
      const plan = await explain(client, one).catch((error) => {
        throw new Error(`"${one.name}" cannot be explained. Has the statement other parameters now? ${error.message}`);
      });
      plans.push({ name: one.name, ...plan });
    }
    return plans;
  } finally {
    await client.end();
  }
}

/** In a transaction that is rolled back: the statement really runs. Twice, so that the second finds its pages in memory. */
async function explain(client, { statement, values, isLane, isPlannedForValues = false }) {
  const settings = [
    ...(isLane ? LANE_SETTINGS : []),
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
  const fleet = await statements('jobs/fleet.sql.js');
  const dispatch = await statements('dispatch/dispatch.sql.js');
  const sweep = await statements('workers/sweep.sql.js');
  const middle = Math.ceil(count / 2);
  const page = ({ worker, ...changes }) => {
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
    const values = [...Object.values(filter), 51];
    return {
      statement: worker === undefined ? jobs.JOBS_PAGE : jobs.JOBS_PAGE_OF_WORKER,
      isLane: false,
      isPlannedForValues: true,
      values: worker === undefined ? values : [...values, worker],
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
    { name: 'list with a label', ...page({ labels: '{"experiment": "77"}' }) },
    { name: 'list of a worker', ...page({ worker: workerId }) },
    { name: 'list by a text nobody has', ...page({ text: 'nobody-has-this' }) },
    { name: 'list by first characters', ...page({ prefix: queuedId(middle).slice(0, 24) }) },
    { name: 'list, page in the middle', ...page({ cursor: finishedId(middle) }) },
    { name: 'get', statement: jobs.JOBS_BY_ID, values: [[finishedId(middle)]] },
    { name: 'events of a job', statement: jobs.EVENTS_OF_JOB, values: [finishedId(middle), 0, 51] },
    { name: 'who goes before a job', statement: fleet.JOBS_AHEAD, values: [[queuedId(middle)], 1000] },
    // Nobody does, so that nothing ends the search early.
    { name: 'who goes before the first', statement: fleet.JOBS_AHEAD, values: [[queuedId(2)], 1000] },
    { name: 'what the fleet holds', statement: fleet.FLEET_HELD, values: [] },
    { name: 'lanes with jobs', statement: dispatch.LANES_QUEUED, values: [], isLane: true },
    { name: 'heads of lanes', statement: dispatch.CLAIM_HEADS, values: [laneIds, laneIds.map(() => 8)], isLane: true },
    { name: 'pauses that are over', statement: dispatch.PAUSES_END, values: [], isLane: true },
    { name: 'workers with room', statement: dispatch.WORKERS_WITH_ROOM, values: [[workerId], replicaId], isLane: true },
    { name: 'running by owner', statement: dispatch.ACTIVE_BY_OWNER, values: [], isLane: true },
    { name: 'queue limits passed', statement: sweep.QUEUE_LIMITS_PASSED, values: [] },
  ];
}
