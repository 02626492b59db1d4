import { doWhatIsDue, nextDueMs, onCommanded, onObjectionChanged, onSlotReleased, onStopAsked } from './agent/control.js';
import { AgentDraft } from './agent/draft.js';
import type { AgentEffect } from './agent/effects.js';
import type { AgentEvent } from './agent/events.js';
import { leave, onBeatAnswered, onClosing, onConnected, onDisconnected, onHelloAnswered } from './agent/link.js';
import { onIntentFailed, onIntentWritten, onOffered, onRefuseAnswered, onStartAnswered, onWithdrawn } from './agent/offers.js';
import { onEndAnswered, onEnded, onFrozen, onLogDone, onStarted, onThawed } from './agent/processes.js';
import { recover } from './agent/recovery.js';
import type { AgentConfig, AgentState, RecoveredExecution } from './agent/state.js';

export interface AgentStep {
  readonly state: AgentState;
  /** To be carried out in this order. */
  readonly effects: readonly AgentEffect[];
}

/** The state of an agent that has read its state directory and has no connection yet; with what it must do about it. */
export function startAgent(config: AgentConfig, recovered: readonly RecoveredExecution[], nowMs: number): AgentStep {
  const draft = recover(config, recovered, nowMs);
  doWhatIsDue(draft);
  return draft.finish();
}

/** One thing happened: the new state, and what to do. Pure. Events after the agent's end change nothing. */
export function agentStep(state: AgentState, event: AgentEvent): AgentStep {
  if (state.isOver) return { state, effects: [] };
  const draft = new AgentDraft(state, event.nowMs);
  if (isSuperseded(event)) leave(draft, 'superseded');
  else take(draft, event);
  if (!draft.state.isOver) doWhatIsDue(draft);
  return draft.finish();
}

/** When the shell must give the next `tick`, on the boot clock; null when nothing waits for time. */
export function nextWakeMs(state: AgentState): number | null {
  return nextDueMs(state);
}

/** Any message may be answered with it: a newer start of the agent is this worker now. */
function isSuperseded(event: AgentEvent): boolean {
  return 'answer' in event && event.answer !== 'timeout' && 'error' in event.answer && event.answer.error.code === 'superseded';
}

function take(draft: AgentDraft, event: AgentEvent): void {
  switch (event.type) {
    case 'connected':
      return onConnected(draft);
    case 'disconnected':
      return onDisconnected(draft);
    case 'helloAnswered':
      return onHelloAnswered(draft, event);
    case 'beatAnswered':
      return onBeatAnswered(draft, event);
    case 'closing':
      return onClosing(draft, event);
    case 'offered':
      return onOffered(draft, event);
    case 'withdrawn':
      return onWithdrawn(draft, event);
    case 'intentWritten':
      return onIntentWritten(draft, event);
    case 'intentFailed':
      return onIntentFailed(draft, event);
    case 'startAnswered':
      return onStartAnswered(draft, event);
    case 'refuseAnswered':
      return onRefuseAnswered(draft, event);
    case 'started':
      return onStarted(draft, event);
    case 'frozen':
      return onFrozen(draft, event);
    case 'thawed':
      return onThawed(draft, event);
    case 'ended':
      return onEnded(draft, event);
    case 'endAnswered':
      return onEndAnswered(draft, event);
    case 'logDone':
      return onLogDone(draft, event);
    case 'commanded':
      return onCommanded(draft, event);
    case 'stopAsked':
      return onStopAsked(draft, event);
    case 'objectionChanged':
      return onObjectionChanged(draft, event);
    case 'slotReleased':
      return onSlotReleased(draft);
    case 'tick':
      return;
  }
}
