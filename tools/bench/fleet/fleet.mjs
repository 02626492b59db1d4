// Many agents in a few processes, from the bench's side.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Agents one process holds without its own event loop becoming what is measured. */
const AGENTS_PER_PROCESS = 500;

export class Fleet {
  #processes = [];

  /**
   * Connects `count` agents and resolves when all are greeted.
   *
   * @param {{ kind?: 'raw' | 'real', url: string, key: string, count: number, slots: number, works?: boolean, name?: string, labels: Record<string, string>[] }} options
   *   `raw`: as little processor time as possible for the bench (raw-agent.mjs). `real`: the product's agent without processes (real-agent.mjs)
   */
  static async join({ count, name = 'raw', ...options }) {
    const fleet = new Fleet();
    const processes = Math.ceil(count / AGENTS_PER_PROCESS);
    fleet.#processes = Array.from({ length: processes }, () => new AgentsProcess());
    try {
      await Promise.all(
        fleet.#processes.map((process, index) => {
          const share = Math.floor(count / processes) + (index < count % processes ? 1 : 0);
          return process.ask('join', { ...options, count: share, name: `${name}-${index}` });
        }),
      );
      return fleet;
    } catch (error) {
      await fleet.leave();
      throw error;
    }
  }

  async syncedCount() {
    const counts = await Promise.all(this.#processes.map((process) => process.ask('synced')));
    return counts.reduce((sum, { count }) => sum + count, 0);
  }

  /** How many agents hold so many attempts, by how many they hold. */
  async held() {
    const all = await Promise.all(this.#processes.map((process) => process.ask('held')));
    const counts = {};
    for (const one of all) for (const [held, count] of Object.entries(one)) counts[held] = (counts[held] ?? 0) + count;
    return counts;
  }

  /** What all agents have seen since this was last asked. */
  async take() {
    const records = await Promise.all(this.#processes.map((process) => process.ask('take')));
    const joined = (name) => records.flatMap((record) => record[name]);
    const errors = {};
    for (const record of records)
      for (const [code, count] of Object.entries(record.errors)) errors[code] = (errors[code] ?? 0) + count;
    return {
      beatMs: joined('beatMs'),
      helloMs: joined('helloMs'),
      helloAt: joined('helloAt'),
      offerAt: joined('offerAt'),
      endedAt: joined('endedAt'),
      errors,
    };
  }

  async leave() {
    await Promise.all(this.#processes.map((process) => process.close()));
  }
}

class AgentsProcess {
  #child = fork(join(import.meta.dirname, 'agents-process.mjs'));
  #waiting = new Map();
  #asked = 0;

  constructor() {
    this.#child.on('message', ({ id, answer, error }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) resolve(answer);
      else reject(new Error(error));
    });
    this.#child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('A process of agents ended.'));
    });
  }

  ask(command, facts) {
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, command, facts });
    });
  }

  async close() {
    if (this.#child.exitCode !== null) return;
    if (this.#child.connected)
      await Promise.race([this.ask('leave').catch(() => undefined), once(this.#child, 'exit')]);
    if (this.#child.connected) this.#child.disconnect();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }
}
