import type { AgentEffect } from './agent/effects.js';
import type { AgentEvent } from './agent/events.js';
import type { AgentConfig, AgentState, RecoveredExecution } from './agent/state.js';

export interface AgentStep {
  readonly state: AgentState;
  /** To be carried out in this order. */
  readonly effects: readonly AgentEffect[];
}

/** The state of an agent that has read its state directory and has no connection yet; with what it must do about it. */
export function startAgent(config: AgentConfig, recovered: readonly RecoveredExecution[], nowMs: number): AgentStep {
  throw new Error(`not yet: ${config.instanceId} ${recovered.length} ${nowMs}`);
}

/** One thing happened: the new state, and what to do. Pure. */
export function agentStep(state: AgentState, event: AgentEvent): AgentStep {
  throw new Error(`not yet: ${state.instanceId} ${event.type}`);
}

/** When the shell must give the next `tick`, on the boot clock; null when nothing waits for time. */
export function nextWakeMs(state: AgentState): number | null {
  return state.nextBeatMs;
}
