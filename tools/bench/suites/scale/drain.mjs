// Takes jobs from the filled lanes through the real protocol: what a claim costs when very many wait behind it.
import { Fleet } from '../../fleet/fleet.mjs';
import { until } from '../../measure/waiting.mjs';

const AGENTS = 4;

/** Each agent has another pool's label and takes its jobs, of all owners, until so many are done together. */
export async function drainSome(stack, { jobs }) {
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
