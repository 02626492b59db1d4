// The control plane killed under all of its agents, and started again by whoever keeps it.
import { until } from '../../measure/waiting.mjs';
import { wallClock } from '../../measure/wall-clock.mjs';

/** Agents pause up to 30 s between tries. */
const COMEBACK_MS = 180_000;

/** Killed, not stopped: no agent is told. The stack starts it again by itself. */
export async function comingBack(stack, agents, { agents: count }) {
  await agents.take();
  const { controlPlane } = stack.pids();
  const wallNow = wallClock();
  const killedAt = wallNow();
  process.kill(controlPlane, 'SIGKILL');
  await until(
    'the control plane to be back',
    async () => {
      try {
        return stack.pids().controlPlane !== controlPlane && (await stack.api.raw('GET', '/meta')).status === 200;
      } catch {
        return false;
      }
    },
    { everyMs: 20, timeoutMs: 120_000 },
  );
  const readyAt = wallNow();
  // Those who are not back by then are told as a figure: the rest of the report is worth having.
  await until('all agents to be back', async () => (await agents.syncedCount()) === count, {
    everyMs: 50,
    timeoutMs: COMEBACK_MS,
  }).catch(() => undefined);
  const synced = await agents.syncedCount();
  const { helloAt, helloMs, errors } = await agents.take();
  const sinceReadyMs = helloAt.map((at) => at - readyAt);
  return { readyMs: readyAt - killedAt, allMs: Math.max(...helloAt) - killedAt, sinceReadyMs, helloMs, errors, synced };
}
