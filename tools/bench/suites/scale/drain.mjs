// Takes jobs from the filled lanes through the real protocol: what a claim costs when very many wait behind it.
import { Fleet } from '../../fleet/fleet.mjs';
import { median } from '../../measure/statistics.mjs';
import { until } from '../../measure/waiting.mjs';
import { topUp } from '../../scale/fill.mjs';

const AGENTS = 4;

/**
 * Several rounds of as many jobs, each of which finds the line as long as the one before did.
 *
 * @returns {Promise<{ perSecond: number[], cpu: Record<string, number> }>} `cpu`: of a job, by part, the median of the rounds
 */
export async function drainInRounds(stack, { patternId, count, jobs, rounds }) {
  const all = [];
  // Numbers that no other level of filled jobs comes to.
  let first = 10 * count;
  for (let round = 0; round < rounds; round++) {
    all.push(await drainSome(stack, { jobs }));
    first += await topUp(stack.databaseUrl, { patternId, first, count, pools: AGENTS });
  }
  const parts = Object.keys(all[0].cpu.parts);
  const cpu = Object.fromEntries(parts.map((part) => [part, median(all.map((one) => one.cpu.parts[part]))]));
  return { perSecond: all.map(({ perSecond }) => perSecond), cpu };
}

/** Each agent has another pool's label and takes its jobs, of all owners, until so many are done together. */
async function drainSome(stack, { jobs }) {
  const labels = Array.from({ length: AGENTS }, (_, index) => ({ pool: `pool-${index}` }));
  const seen = { offerAt: [], endedAt: [] };
  const { result, cpu } = await stack.cpu(
    () => seen.endedAt.length,
    async () => {
      const fleet = await Fleet.join({
        url: stack.url,
        key: stack.workerKey,
        count: AGENTS,
        slots: 64,
        works: true,
        name: 'drain',
        labels,
      });
      try {
        await until(
          'jobs to be drained',
          async () => {
            const record = await fleet.take();
            seen.offerAt.push(...record.offerAt);
            seen.endedAt.push(...record.endedAt);
            return seen.endedAt.length >= jobs;
          },
          { everyMs: 50, timeoutMs: 120_000 },
        );
      } finally {
        await fleet.leave();
      }
      const first = Math.min(...seen.offerAt);
      const last = Math.max(...seen.endedAt);
      return { jobs: seen.endedAt.length, perSecond: seen.endedAt.length / ((last - first) / 1000) };
    },
  );
  return { ...result, cpu };
}
