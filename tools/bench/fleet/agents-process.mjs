// Holds many raw agents in one process; forked and asked by fleet.mjs.
import { wallClock } from '../measure/wall-clock.mjs';
import { inParallel, until } from '../measure/waiting.mjs';
import { RawAgent, Record } from './raw-agent.mjs';

let record = new Record();
const wallNow = wallClock();
const agents = [];

const commands = {
  /** Connects so many agents and answers when all are synced; they take turns with the sets of labels. */
  async join({ count, name, labels, ...options }) {
    const began = agents.length;
    for (let index = 0; index < count; index++) {
      agents.push(
        new RawAgent(
          { ...options, name: `${name}-${began + index}`, labels: labels[index % labels.length] },
          () => record,
          wallNow,
        ),
      );
    }
    const fresh = agents.slice(began);
    await inParallel(count, 50, async (index) => {
      fresh[index].connect();
      await until('a raw agent to be greeted', () => fresh[index].isSynced, { everyMs: 5, timeoutMs: 120_000 });
    });
    return { count };
  },
  synced: () => ({ count: agents.filter((agent) => agent.isSynced).length }),
  /** What was seen since this was last asked. */
  take() {
    const taken = record;
    record = new Record();
    return { ...taken };
  },
  leave() {
    for (const agent of agents.splice(0)) agent.close();
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
