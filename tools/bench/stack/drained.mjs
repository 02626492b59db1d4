// Waiting for the end of many jobs without asking the control plane, whose time is being measured.
import pg from 'pg';
import { until } from '../measure/waiting.mjs';

const OPEN = {
  name: 'bench_open',
  text: `select exists (select from job where status in ('queued', 'assigned', 'running')) as is_open`,
};
const FAILED = `select count(*)::int as count from job where status in ('failed', 'cancelled')`;

/**
 * Runs `work`, then waits until every job is finished. Only jobs of the bench are on this stack.
 *
 * @returns what `work` answered, how long it took until the last job was finished, and how often the database was asked:
 *   each of these looks is a transaction that no job caused
 * @throws when a job failed: a rate that leaves some behind is none
 */
export async function untilDrained(databaseUrl, work) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const began = performance.now();
    const result = await work();
    let looks = 0;
    await until(
      'the end of all jobs',
      async () => {
        looks += 1;
        return !(await client.query(OPEN)).rows[0].is_open;
      },
      {
        everyMs: 25,
        timeoutMs: 600_000,
      },
    );
    const seconds = (performance.now() - began) / 1000;
    const { rows } = await client.query(FAILED);
    if (rows[0].count > 0) throw new Error(`${rows[0].count} jobs did not succeed.`);
    return { result, seconds, looks };
  } finally {
    await client.end();
  }
}
