/** What became of processes, and the end that is told until somebody has heard it. */
import type { AgentDraft } from './draft.js';
import { beatSoon, hasProcess } from './draft.js';
import type { ProcessEvent } from './events.js';
import { tooLate } from './offers.js';
import { carryOutPause, settle } from './orders.js';
import type { Execution } from './state.js';

type Event<Type extends ProcessEvent['type']> = Extract<ProcessEvent, { type: Type }>;

export function onStarted(draft: AgentDraft, event: Event<'started'>): void {
  const execution = draft.get(event.executionId);
  if (execution?.phase === 'starting') carryOutPause(draft, draft.put({ ...execution, phase: 'running' }));
}

export function onFrozen(draft: AgentDraft, event: Event<'frozen'>): void {
  const execution = draft.get(event.executionId);
  if (execution?.phase === 'running') turn(draft, execution, 'paused');
}

export function onThawed(draft: AgentDraft, event: Event<'thawed'>): void {
  const execution = draft.get(event.executionId);
  if (execution?.phase === 'paused') turn(draft, execution, 'running');
}

/** People wait for this to show, so it is told at once; what they wished meanwhile follows. */
function turn(draft: AgentDraft, execution: Execution, phase: 'running' | 'paused'): void {
  carryOutPause(draft, draft.put({ ...execution, phase }));
  beatSoon(draft);
}

export function onEnded(draft: AgentDraft, event: Event<'ended'>): void {
  const execution = draft.get(event.executionId);
  if (execution === undefined || !hasProcess(execution)) return;
  if (event.isQuarantined) quarantine(draft, execution);
  if (event.end.outcome === 'refused') {
    // Not started at all, because the order came too late.
    if (execution.isSuperseded) draft.forget(execution);
    else tooLate(draft, execution);
    return;
  }
  const ended = { ...execution, end: event.end, askedMs: null };
  if (execution.isSuperseded) {
    settle(draft, ended);
    // The server could not know that this slot was held: say at once that it is free.
    beatSoon(draft);
  }
  if (!execution.isSuperseded) draft.put({ ...ended, phase: 'exited' });
}

/** Its processes could not be killed: whatever they hold stays held. */
function quarantine(draft: AgentDraft, execution: Execution): void {
  const { quarantined, gpusQuarantined } = draft.state;
  draft.set({ quarantined: quarantined + 1, gpusQuarantined: [...gpusQuarantined, ...execution.gpus] });
}

export function onEndAnswered(draft: AgentDraft, event: Event<'endAnswered'>): void {
  const execution = draft.inTermOf(event.ref);
  if (execution?.phase !== 'exited') return;
  if (event.answer === 'timeout' || 'error' in event.answer) draft.put({ ...execution, askedMs: draft.nowMs });
  else settle(draft, execution);
}

export function onLogDone(draft: AgentDraft, event: Event<'logDone'>): void {
  const execution = draft.get(event.executionId);
  if (execution === undefined) return;
  // Every byte acknowledged is not enough to forget it: its end must be settled too.
  if (execution.phase === 'draining') draft.forget(execution);
  else if (execution.phase === 'exited') draft.put({ ...execution, isLogDone: true });
}
