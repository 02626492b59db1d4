// Holds many agents in one process; forked and asked by fleet.mjs.
import { wallClock } from '../measure/wall-clock.mjs';
import { inParallel, until } from '../measure/waiting.mjs';
import { RawAgent, Record } from './raw-agent.mjs';

/** Loaded when needed: what is raw needs nothing of the agent. */
const KINDS = {
  raw: async () => RawAgent,
  real: async () => (await import('./real-agent.mjs')).RealAgent,
};

let record = new Record();
const wallNow = wallClock();
const agents = [];

const commands = {
  /** Connects so many agents and answers when all are synced; they take turns with the sets of labels. */
  async join({ kind = 'raw', count, name, labels, ...options }) {
    const Kind = await KINDS[kind]();
    const began = agents.length;
    for (let index = 0; index < count; index++) {
      agents.push(
        new Kind(
          { ...options, name: `${name}-${began + index}`, labels: labels[index % labels.length] },
          () => record,
          wallNow,
        ),
      );
    }
    const fresh = agents.slice(began);
    await inParallel(count, 50, async (index) => {
      fresh[index].connect();
      await until('an agent to be greeted', () => fresh[index].isSynced, { everyMs: 5, timeoutMs: 120_000 });
    });
    return { count };
  },
  synced: () => ({ count: agents.filter((agent) => agent.isSynced).length }),
  /** How many of them hold so many attempts, by how many they hold. Only real ones can say. */
  held() {
    const counts = {};
    for (const { heldCount } of agents) counts[heldCount] = (counts[heldCount] ?? 0) + 1;
    return counts;
  },
  /** What was seen since this was last asked. */
  take() {
    const taken = record;
    record = new Record();
    return { ...taken };
  },
  async leave() {
    await Promise.all(agents.splice(0).map((agent) => agent.leave()));
    return {};
  },
};

process.on('message', async ({ id, command, facts }) => {
  try {
    process.send({ id, answer: await commands[command](facts ?? {}) });
  } catch (error) {
    process.send({ id, error: String(error) });
  }
});
process.once('disconnect', () => process.exit(0));
