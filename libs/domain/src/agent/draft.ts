/** A step in the making: the state as changed so far, and what is to be done about it. */
import type { AttemptId, AttemptRef, ExecutionReport } from '@muster/protocol';
import type { AgentEffect } from './effects.js';
import type { AgentState, Execution, Refusing } from './state.js';

export class AgentDraft {
  private facts: AgentState;
  /** Copies, made with the first change of each: most steps change neither. */
  private executions: Map<AttemptId, Execution> | undefined;
  private refusals: Map<AttemptId, Refusing> | undefined;
  private readonly effects: AgentEffect[] = [];

  constructor(
    state: AgentState,
    readonly nowMs: number,
  ) {
    this.facts = state;
  }

  get state(): Omit<AgentState, 'executions' | 'refusals'> {
    return this.facts;
  }

  set(changes: Partial<Omit<AgentState, 'executions' | 'refusals'>>): void {
    this.facts = { ...this.facts, ...changes };
  }

  all(): Execution[] {
    return [...(this.executions ?? this.facts.executions).values()];
  }

  get(executionId: AttemptId): Execution | undefined {
    return (this.executions ?? this.facts.executions).get(executionId);
  }

  /** The execution that runs in exactly this term now; answers about an earlier one find nothing. */
  inTermOf(ref: AttemptRef): Execution | undefined {
    return this.all().find((execution) => execution.ref.attemptId === ref.attemptId && execution.ref.epoch === ref.epoch);
  }

  /** True when the attempt is, or was, that of one of our executions. */
  knows(attemptId: AttemptId): boolean {
    return this.get(attemptId) !== undefined || this.all().some((execution) => execution.ref.attemptId === attemptId);
  }

  put(execution: Execution): Execution {
    this.executions ??= new Map(this.facts.executions);
    this.executions.set(execution.executionId, execution);
    return execution;
  }

  /** Removes it here and on disk. */
  forget(execution: Execution): void {
    this.executions ??= new Map(this.facts.executions);
    this.executions.delete(execution.executionId);
    this.effect({ type: 'forget', executionId: execution.executionId });
  }

  allRefusals(): Refusing[] {
    return [...(this.refusals ?? this.facts.refusals).values()];
  }

  refusal(attemptId: AttemptId): Refusing | undefined {
    return (this.refusals ?? this.facts.refusals).get(attemptId);
  }

  putRefusal(refusing: Refusing): void {
    this.refusals ??= new Map(this.facts.refusals);
    this.refusals.set(refusing.ref.attemptId, refusing);
  }

  dropRefusal(attemptId: AttemptId): void {
    this.refusals ??= new Map(this.facts.refusals);
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
    const { facts, executions = facts.executions, refusals = facts.refusals } = this;
    const isKept = executions === facts.executions && refusals === facts.refusals;
    return { state: isKept ? facts : { ...facts, executions, refusals }, effects: this.effects };
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
