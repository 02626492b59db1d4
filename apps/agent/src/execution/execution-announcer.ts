import { EventEmitter } from 'node:events';
import type { ExecutionEvents, ExecutionLogger } from './execution-types.js';

/** Tells everybody who listens what happened. A listener that throws must not stop an execution on its way. */
export class ExecutionAnnouncer {
  private readonly events = new EventEmitter();

  constructor(private readonly log: ExecutionLogger) {}

  on<E extends keyof ExecutionEvents>(event: E, listener: ExecutionEvents[E]): void {
    this.events.on(event, listener);
  }

  off<E extends keyof ExecutionEvents>(event: E, listener: ExecutionEvents[E]): void {
    this.events.off(event, listener);
  }

  emit<E extends keyof ExecutionEvents>(event: E, ...args: Parameters<ExecutionEvents[E]>): void {
    for (const listener of this.events.listeners(event)) {
      try {
        listener(...args);
      } catch (error) {
        this.log.error({ event, error }, 'a listener of execution events failed');
      }
    }
  }
}
