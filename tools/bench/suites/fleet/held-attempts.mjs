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

/** Submits as many jobs that stay as there are agents, and resolves with their ids when each runs. */
export async function holdOneEach(stack, { count, labels }) {
  const ids = [];
  const began = performance.now();
  for (let at = 0; at < count; at += BATCH) {
    const jobs = Array.from({ length: Math.min(BATCH, count - at) }, (_, index) => ({
      name: `held-${at + index}`,
      run: { command: [HOLDS] },
      // More than half of the memory of each: no agent gets two.
      needs: { labels, memoryMb: 10_000 },
    }));
    const answer = await stack.api.post('/jobs', { jobs });
    ids.push(...answer.data.map(({ id }) => id));
  }
  await withClient(stack.databaseUrl, (client) =>
    until('every agent to hold an attempt', async () => (await client.query(RUNNING, [ids])).rows[0].count === count, {
      everyMs: 50,
      timeoutMs: 180_000,
    }),
  );
  return { ids, seconds: (performance.now() - began) / 1000 };
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
