/** A step in the making: the state as changed so far, and what is to be done about it. */
import type { AttemptId, AttemptRef, ExecutionReport } from '@muster/protocol';
import type { AgentEffect } from './effects.js';
import type { AgentState, Execution, Refusing } from './state.js';

export class AgentDraft {
  private facts: AgentState;
  private readonly executions: Map<AttemptId, Execution>;
  private readonly refusals: Map<AttemptId, Refusing>;
  private readonly effects: AgentEffect[] = [];

  constructor(
    state: AgentState,
    readonly nowMs: number,
  ) {
    this.facts = state;
    this.executions = new Map(state.executions);
    this.refusals = new Map(state.refusals);
  }

  get state(): Omit<AgentState, 'executions' | 'refusals'> {
    return this.facts;
  }

  set(changes: Partial<Omit<AgentState, 'executions' | 'refusals'>>): void {
    this.facts = { ...this.facts, ...changes };
  }

  all(): Execution[] {
    return [...this.executions.values()];
  }

  get(executionId: AttemptId): Execution | undefined {
    return this.executions.get(executionId);
  }

  /** The execution that runs in exactly this term now; answers about an earlier one find nothing. */
  inTermOf(ref: AttemptRef): Execution | undefined {
    return this.all().find((execution) => execution.ref.attemptId === ref.attemptId && execution.ref.epoch === ref.epoch);
  }

  /** True when the attempt is, or was, that of one of our executions. */
  knows(attemptId: AttemptId): boolean {
    return this.executions.has(attemptId) || this.all().some((execution) => execution.ref.attemptId === attemptId);
  }

  put(execution: Execution): Execution {
    this.executions.set(execution.executionId, execution);
    return execution;
  }

  /** Removes it here and on disk. */
  forget(execution: Execution): void {
    this.executions.delete(execution.executionId);
    this.effect({ type: 'forget', executionId: execution.executionId });
  }

  allRefusals(): Refusing[] {
    return [...this.refusals.values()];
  }

  refusal(attemptId: AttemptId): Refusing | undefined {
    return this.refusals.get(attemptId);
  }

  putRefusal(refusing: Refusing): void {
    this.refusals.set(refusing.ref.attemptId, refusing);
  }

  dropRefusal(attemptId: AttemptId): void {
    this.refusals.delete(attemptId);
  }

  effect(effect: AgentEffect): void {
    this.effects.push(effect);
  }

  /** Nothing is decided after this; processes live on. */
  exit(effect: Omit<Extract<AgentEffect, { type: 'exit' }>, 'type'>): void {
    if (this.facts.isOver) return;
    this.set({ isOver: true, nextBeatMs: null });
    this.effect({ type: 'exit', ...effect });
  }

  finish(): { readonly state: AgentState; readonly effects: readonly AgentEffect[] } {
    return { state: { ...this.facts, executions: this.executions, refusals: this.refusals }, effects: this.effects };
  }
}

/** True from the intent on disk until the tree is proven empty. */
export function holdsSlot(execution: Execution): boolean {
  return execution.phase !== 'exited' && execution.phase !== 'draining';
}

/** True while a process exists, or may exist any moment. */
export function hasProcess(execution: Execution): boolean {
  return execution.phase === 'starting' || execution.phase === 'running' || execution.phase === 'paused';
}

/** Slots that could take an offer now; never negative. */
export function freeSlots(draft: AgentDraft): number {
  return Math.max(0, draft.state.slots - draft.state.quarantined - draft.all().filter(holdsSlot).length);
}

/** What hello and beats list: everything the server may still have an interest in. */
export function reports(draft: AgentDraft): ExecutionReport[] {
  return draft.all().flatMap((execution): ExecutionReport[] => {
    if (execution.isSuperseded) return [];
    switch (execution.phase) {
      case 'accepting':
      case 'draining':
        return [];
      case 'asking':
      case 'starting':
        return [{ ...execution.ref, state: 'accepted' }];
      case 'running':
      case 'paused':
      case 'exited':
        return [{ ...execution.ref, state: execution.phase }];
    }
  });
}

/** GPUs that nothing of these reports holds: processes that could not be killed, or that nobody wants any more. */
export function gpusHeld(draft: AgentDraft): number[] {
  const unwanted = draft.all().filter((execution) => execution.isSuperseded && holdsSlot(execution));
  return [...new Set([...draft.state.gpusQuarantined, ...unwanted.flatMap((execution) => execution.gpus)])].sort((left, right) => left - right);
}

/** The next beat goes now: something changed that the server cannot know. */
export function beatSoon(draft: AgentDraft): void {
  if (draft.state.link === 'synced') draft.set({ nextBeatMs: draft.nowMs });
}
