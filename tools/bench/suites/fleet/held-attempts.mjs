// An attempt for each agent that stays with it, and what became of all of them in the end.
import pg from 'pg';
import { HOLDS } from '../../fleet/far-end.mjs';
import { until } from '../../measure/waiting.mjs';

const BATCH = 100;
const RUNNING = `select count(*)::int as count from job where id = any($1) and status = 'running'`;
/** What a held job goes through when its agent or its lease is given up, and never else. */
const LOST = `
  select type, count(*)::int as count
  from event
  where job_id = any($1)
    and type in ('job.requeued', 'job.failed', 'job.reclaimed', 'job.waiting', 'job.cancelled', 'job.completed')
  group by type
`;
const ENDED = `select count(*)::int as count from attempt where job_id = any($1) and state = 'ended' and outcome <> 'refused'`;

/**
 * Submits as many jobs that stay as there are agents, and resolves with their ids when each runs. One batch after the other: of
 * jobs that come while others are being granted the least loaded agents get two.
 */
export function holdOneEach(stack, { count, labels }) {
  return withClient(stack.databaseUrl, async (client) => {
    const ids = [];
    const began = performance.now();
    while (ids.length < count) {
      const jobs = Array.from({ length: Math.min(BATCH, count - ids.length) }, (_, index) => ({
        name: `held-${ids.length + index}`,
        run: { command: [HOLDS] },
        needs: { labels },
      }));
      const { data } = await stack.api.post('/jobs', { jobs });
      ids.push(...data.map(({ id }) => id));
      const isRunning = async () => (await client.query(RUNNING, [ids])).rows[0].count === ids.length;
      await until('every job to be held', isRunning, { everyMs: 20, timeoutMs: 60_000 });
    }
    return { ids, seconds: (performance.now() - began) / 1000 };
  });
}

/**
 * What the events and attempts of these jobs say: how many still run, and what was taken from an agent that had it.
 *
 * @returns {Promise<{ running: number, ended: number, events: Record<string, number> }>}
 */
export function fateOf(stack, ids) {
  return withClient(stack.databaseUrl, async (client) => {
    const [running, ended, events] = [
      await client.query(RUNNING, [ids]),
      await client.query(ENDED, [ids]),
      await client.query(LOST, [ids]),
    ];
    return {
      running: running.rows[0].count,
      ended: ended.rows[0].count,
      events: Object.fromEntries(events.rows.map(({ type, count }) => [type, count])),
    };
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
