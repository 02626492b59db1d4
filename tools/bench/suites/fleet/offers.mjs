// One job at a time for a label that very many free agents have: how long until one of them is offered it, and has done it.
import { until } from '../../measure/waiting.mjs';
import { wallClock } from '../../measure/wall-clock.mjs';

/** @returns {Promise<{ offerMs: number[], endMs: number[] }>} both counted from before the submit */
export async function offerLatency(stack, agents, { offers, labels }) {
  const wallNow = wallClock();
  const offerMs = [];
  const endMs = [];
  await agents.take();
  for (let index = 0; index < offers; index++) {
    const submittedAt = wallNow();
    await stack.api.post('/jobs', { name: `offered-${index}`, run: { command: ['/bin/true'] }, needs: { labels } });
    const seen = { offerAt: [], endedAt: [] };
    await until(
      'an end',
      async () => {
        const { offerAt, endedAt } = await agents.take();
        seen.offerAt.push(...offerAt);
        seen.endedAt.push(...endedAt);
        return seen.endedAt.length > 0;
      },
      { everyMs: 50, timeoutMs: 60_000 },
    );
    offerMs.push(Math.min(...seen.offerAt) - submittedAt);
    endMs.push(Math.min(...seen.endedAt) - submittedAt);
  }
  return { offerMs, endMs };
}
