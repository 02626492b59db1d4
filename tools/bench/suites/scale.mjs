// Suite scale: what submit, claim, list, get and stats cost with few jobs and with very many in the tables.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { figureOf, latencyOf } from '../measure/figure.mjs';
import { summaryOf } from '../measure/statistics.mjs';
import { fill } from '../scale/fill.mjs';
import { explainAll } from '../scale/plans.mjs';
import { drainInRounds } from './scale/drain.mjs';
import { operationsOf } from './scale/operations.mjs';
import { retentionFigures } from './scale/retention.mjs';

/** How much slower the largest level may be than the smallest: the record among peers loses 14 % of its rate. */
const FLAT = 1.1;
/** Jobs that the draining agents may take of a level: they can take four of five. */
const DRAINED_SHARE = 0.5;

export async function scale(bench) {
  const { sizes, say } = bench;
  const stack = await bench.stack({ slots: 8 });
  const patternId = await patternOf(stack);
  const levels = [];
  let filled = 0;
  for (const count of sizes.levels) {
    say(`filling up to ${count.toLocaleString('en-US')} queued and as many finished jobs`);
    const began = performance.now();
    await fill(stack.databaseUrl, { patternId, workerId: stack.worker.id, from: filled, to: count, say });
    say(`filled in ${((performance.now() - began) / 1000).toFixed(0)} s`);
    filled = count;
    say('measuring');
    levels.push(await measureLevel(stack, { count, patternId, ...sizes }));
  }
  const folder = bench.attachments();
  for (const { count, plans } of levels)
    for (const { name, text } of plans)
      writeFileSync(join(folder, `${String(count)} ${name.replace(/[^\w ,]/g, '')}.txt`), `${text}\n`);
  return {
    sections: [
      {
        title: `Answers over REST, ms, with ${levels.map(({ count }) => count.toLocaleString('en-US')).join(', ')} queued and as many finished jobs`,
        figures: operationFigures(levels),
      },
      { title: 'Claim, start and end of queued jobs by agents that run nothing', figures: drainFigures(levels) },
      {
        title: `The statements themselves (EXPLAIN ANALYZE, second run), with ${levels.at(-1).count.toLocaleString('en-US')}`,
        figures: planFigures(levels),
      },
      {
        title: 'Room and retention',
        figures: [...roomFigures(levels), ...(await retentionFigures(stack.databaseUrl, { count: filled }))],
      },
    ],
    details: {
      levels: levels.map(({ plans, ...rest }) => ({ ...rest, plans: plans.map(({ text: _, ...facts }) => facts) })),
      plans: folder,
    },
  };
}

/** A job as the control plane stores it, with every default filled in; it waits for a label that nobody has. */
async function patternOf({ api }) {
  const { id } = await api.post('/jobs', {
    name: 'train',
    run: { command: ['python3', 'train.py', '--epochs', '20', '--config', 'configs/base.yaml'] },
    env: { LR: '0.0003', BATCH: '256', SEED: '7' },
    labels: { experiment: '7' },
    needs: { labels: { bench: 'nobody' } },
    retry: { onFailure: 2 },
  });
  return id;
}

async function measureLevel(stack, { count, patternId, samples, drained, drains }) {
  const operations = {};
  for (const [name, work] of Object.entries(operationsOf(stack, { count, samples }))) operations[name] = await work();
  const facts = await lanesAndReplica(stack.databaseUrl);
  const plans = await explainAll(stack.databaseUrl, { count, workerId: stack.worker.id, ...facts });
  const room = await roomOf(stack.databaseUrl);
  return {
    count,
    operations,
    plans,
    room,
    drain: await drainInRounds(stack, {
      patternId,
      count,
      jobs: Math.min(drained, Math.floor(count * DRAINED_SHARE)),
      rounds: drains,
    }),
  };
}

async function lanesAndReplica(databaseUrl) {
  return withClient(databaseUrl, async (client) => {
    const lanes = await client.query(`select id from lane where needs_hash like 'bench-%' order by id`);
    const replicas = await client.query('select id from replica order by started_at desc limit 1');
    return { laneIds: lanes.rows.map(({ id }) => Number(id)), replicaId: replicas.rows[0].id };
  });
}

async function roomOf(databaseUrl) {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query(`select pg_database_size(current_database())::float8 as bytes`);
    return rows[0].bytes;
  });
}

async function withClient(url, work) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** One row for each operation: the largest level, beside the smallest. */
function operationFigures(levels) {
  const [least, ...others] = levels;
  const most = others.at(-1) ?? least;
  return Object.entries(most.operations).map(([name, times]) => {
    const small = least.operations[name];
    const steps = levels.map(({ operations }) => summaryOf(operations[name]).p50.toFixed(1)).join(' → ');
    return latencyOf({
      name,
      values: times,
      limit: { name: `ms with ${least.count.toLocaleString('en-US')}`, values: small },
      aim: flat,
      note: steps,
    });
  });
}

/** Indexes grow a level deeper, and each look-up of a page of 50 jobs with it. */
const flatPages = {
  text: '<= 2 x + 100 pages',
  isReached: ({ value, limit }) => value <= 2 * limit + 100,
};

const flat = { text: `<= ${FLAT} x + 1 ms`, isReached: ({ value, limit }) => value <= FLAT * limit + 1 };

function drainFigures(levels) {
  const smallest = levels[0].drain.perSecond;
  return levels.map(({ count, drain }) =>
    figureOf({
      name: `${count.toLocaleString('en-US')} queued`,
      unit: '/s',
      values: drain.perSecond,
      limit: { name: `/s with ${levels[0].count.toLocaleString('en-US')}`, values: smallest },
      aim: { text: '>= 0.9 of it', isReached: ({ ratio }) => ratio >= 0.9 },
      note: `CPU ms per job: control plane ${drain.cpu['control plane'].toFixed(2)}, PostgreSQL ${drain.cpu.PostgreSQL.toFixed(2)}`,
    }),
  );
}

/** Pages touched, which no neighbour on this machine can change; the time is told beside them. */
function planFigures(levels) {
  const [least] = levels;
  return levels.at(-1).plans.map(({ name, buffers }) => {
    const of = (kind, digits) =>
      levels.map(({ plans }) => plans.find((plan) => plan.name === name)[kind].toFixed(digits)).join(' → ');
    return figureOf({
      name,
      unit: 'pages',
      values: [buffers],
      limit: {
        name: `pages with ${least.count.toLocaleString('en-US')}`,
        values: [least.plans.find((plan) => plan.name === name).buffers],
      },
      aim: flatPages,
      note: `pages ${of('buffers', 0)}; ms ${of('ms', 2)}`,
    });
  });
}

function roomFigures(levels) {
  return [
    figureOf({
      name: 'room of one queued and one finished job',
      unit: 'KiB',
      values: [(levels.at(-1).room - levels[0].room) / Math.max(1, levels.at(-1).count - levels[0].count) / 1024],
      note: 'tables and indexes, four events each',
    }),
  ];
}
