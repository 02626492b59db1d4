// What stands behind the connection of an agent that runs nothing: executions without processes, a machine that nobody looks at.
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { anInventory } from '@muster/testing';

/** A job whose command begins with this stays until it is stopped; every other one ends at once. */
export const HOLDS = 'hold';

const NOTHING_USED = { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null };

/** The facade of executions (apps/agent/src/execution/execution-types.ts) without a process, a file or a supervisor behind it. */
export class ProcesslessExecutions {
  #held = new Map();
  #events = new EventEmitter();
  #total;
  #onAccepted;

  /** @param {{ slots: number, capabilities: object, onAccepted: () => void }} options */
  constructor({ slots, capabilities, onAccepted }) {
    this.#total = slots;
    this.#onAccepted = onAccepted;
    this.capabilities = capabilities;
  }

  on(event, listener) {
    this.#events.on(event, listener);
  }

  off(event, listener) {
    this.#events.off(event, listener);
  }

  async recover() {
    return [];
  }

  async accept({ attemptId, epoch, jobId, spec, gpus }) {
    this.#onAccepted();
    const executionId = randomUUID();
    const ref = { attemptId, epoch };
    this.#held.set(executionId, { executionId, ref, jobId, spec, gpus, phase: 'accepted', stopping: null, end: null });
    return executionId;
  }

  async start(executionId) {
    const view = this.#change(executionId, { phase: 'running' });
    this.#events.emit('running', view);
    if (view.spec.run.command?.[0] !== HOLDS) setImmediate(() => this.#end(executionId, 'succeeded'));
  }

  async stop(executionId, { reason }) {
    if (this.view(executionId).phase === 'exited') return;
    this.#change(executionId, { stopping: reason });
    setImmediate(() => this.#end(executionId, reason === 'cancelled' ? 'cancelled' : 'superseded'));
  }

  async freeze(executionId) {
    this.#events.emit('paused', this.#change(executionId, { phase: 'paused' }));
  }

  async thaw(executionId) {
    this.#events.emit('resumed', this.#change(executionId, { phase: 'running' }));
  }

  async setDeadline() {}

  async rebind(executionId, ref) {
    this.#change(executionId, { ref });
  }

  async discard(executionId) {
    this.#held.delete(executionId);
    this.#events.emit('slots', this.slots());
  }

  view(executionId) {
    return this.#held.get(executionId);
  }

  list() {
    return [...this.#held.values()];
  }

  paths() {
    return { directory: '/nowhere', logs: {}, metrics: '/nowhere', progress: '/nowhere' };
  }

  slots() {
    return { total: this.#total, free: this.#total - this.#held.size, quarantined: 0 };
  }

  #end(executionId, outcome) {
    if (this.view(executionId)?.phase !== 'running') return;
    const exit = outcome === 'succeeded' ? { code: 0, signal: null } : { code: null, signal: 'SIGTERM' };
    const end = { outcome, exit, detail: null, usage: NOTHING_USED, leftovers: 0, containment: 'group', ranMs: 1 };
    this.#events.emit('ended', this.#change(executionId, { phase: 'exited', end }));
    this.#events.emit('slots', this.slots());
  }

  #change(executionId, facts) {
    const view = { ...this.#held.get(executionId), ...facts };
    this.#held.set(executionId, view);
    return view;
  }
}

/** The words of a job that prints nothing are shipped at once. */
export const NO_LOGS = {
  follow: () => undefined,
  rebind: () => undefined,
  finish: async () => ({}),
  whenDrained: async () => 'drained',
  forget: async () => undefined,
};

/** A machine that is as it is said to be. */
export function machineWith(labels) {
  const inventory = anInventory({ labels });
  return {
    capabilities: inventory,
    read: async () => inventory,
    sample: () => ({ cpuPercent: Math.round(Math.random() * 100), memoryUsedMb: 4_096, diskFreeMb: 50_000 }),
    isDiskFull: async () => false,
    objection: async () => null,
  };
}
