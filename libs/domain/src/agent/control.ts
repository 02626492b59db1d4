/** Orders to the agent itself, and everything that is due because time has passed. */
import type { AgentDraft } from './draft.js';
import { beatSoon, freeSlots, gpusHeld, hasProcess, reports } from './draft.js';
import type { ControlEvent } from './events.js';
import { applyCommand, giveBack, orderStop } from './orders.js';
import type { AgentState, Execution, Refusing } from './state.js';

/** An acknowledged refusal is remembered as long as the same offer could still arrive. */
const REFUSAL_KEPT_MS = 60_000;

type Event<Type extends ControlEvent['type']> = Extract<ControlEvent, { type: Type }>;

export function onCommanded(draft: AgentDraft, event: Event<'commanded'>): void {
  const execution = draft.inTermOf(event.ref);
  if (execution !== undefined) applyCommand(draft, execution, event.command);
}

export function onStopAsked(draft: AgentDraft, event: Event<'stopAsked'>): void {
  // Its processes are being stopped, and it ends when they are.
  if (draft.state.mode === 'removed') return;
  draft.set({ mode: event.keepJobs ? 'detaching' : 'stoppingJobs' });
  beatSoon(draft);
  for (const execution of draft.all()) {
    if (execution.phase === 'accepting' || execution.phase === 'asking') giveBack(draft, execution, 'agentStopping', null);
    else if (!event.keepJobs) orderStop(draft, execution, 'workerStopped', false);
  }
}

export function onObjectionChanged(draft: AgentDraft, event: Event<'objectionChanged'>): void {
  draft.set({ objection: event.objection });
  beatSoon(draft);
}

export function onSlotReleased(draft: AgentDraft): void {
  const quarantined = Math.max(0, draft.state.quarantined - 1);
  draft.set({ quarantined, ...(quarantined === 0 ? { gpusQuarantined: [] } : {}) });
  beatSoon(draft);
}

/** Runs after every event: sends what is due, stops what is past its deadline, ends an agent that has nothing left to do. */
export function doWhatIsDue(draft: AgentDraft): void {
  for (const execution of draft.all()) {
    if (hasProcess(execution) && execution.deadlineMs !== null && execution.deadlineMs <= draft.nowMs) orderStop(draft, execution, 'leaseOver', true);
  }
  if (draft.state.link === 'synced') sendWhatIsDue(draft);
  for (const { ref, acknowledgedMs } of draft.allRefusals()) {
    if (acknowledgedMs !== null && acknowledgedMs + REFUSAL_KEPT_MS <= draft.nowMs) draft.dropRefusal(ref.attemptId);
  }
  if (draft.state.mode === 'removed' && !draft.all().some(hasProcess)) draft.exit({ code: 78, reason: 'removed' });
  if (isDone(draft)) draft.exit({ code: 0, reason: 'asked' });
}

/** The next moment at which `doWhatIsDue` will have something to do; null when only an event can bring it. */
export function nextDueMs(state: AgentState): number | null {
  const moments: number[] = [];
  for (const execution of state.executions.values()) {
    if (hasProcess(execution) && execution.deadlineMs !== null && execution.stop?.isForced !== true) moments.push(execution.deadlineMs);
    if (state.link === 'synced' && isTelling(execution)) moments.push(dueMs(execution.askedMs, state.resendAfterMs));
  }
  if (state.link === 'synced') {
    if (state.nextBeatMs !== null) moments.push(state.nextBeatMs);
    for (const refusing of state.refusals.values()) {
      if (refusing.acknowledgedMs === null) moments.push(dueMs(refusing.sentMs, state.resendAfterMs));
    }
  }
  return state.isOver || moments.length === 0 ? null : Math.min(...moments);
}

function sendWhatIsDue(draft: AgentDraft): void {
  const { state, nowMs } = draft;
  for (const execution of draft.all()) if (isTelling(execution) && dueMs(execution.askedMs, state.resendAfterMs) <= nowMs) tell(draft, execution);
  for (const refusing of draft.allRefusals()) {
    if (refusing.acknowledgedMs === null && dueMs(refusing.sentMs, state.resendAfterMs) <= nowMs) tellRefusal(draft, refusing);
  }
  if (state.nextBeatMs !== null && state.nextBeatMs <= nowMs) {
    draft.set({ nextBeatMs: nowMs + state.beatIntervalMs });
    const paused = state.mode !== 'serving' || state.objection !== null;
    draft.effect({ type: 'sendBeat', beat: { session: state.session, executions: reports(draft), paused, slotsFree: freeSlots(draft), gpusHeld: gpusHeld(draft) } });
  }
}

function isTelling(execution: Execution): boolean {
  return execution.phase === 'asking' || (execution.phase === 'exited' && execution.end !== null);
}

function tell(draft: AgentDraft, execution: Execution): void {
  draft.put({ ...execution, askedMs: draft.nowMs });
  if (execution.phase === 'asking') draft.effect({ type: 'sendStart', ref: execution.ref });
  else if (execution.end !== null) draft.effect({ type: 'sendEnd', end: { ...execution.end, ...execution.ref } });
}

function tellRefusal(draft: AgentDraft, refusing: Refusing): void {
  draft.putRefusal({ ...refusing, sentMs: draft.nowMs });
  const detail = refusing.detail === null ? {} : { detail: refusing.detail };
  draft.effect({ type: 'sendRefuse', refuse: { ...refusing.ref, reason: refusing.reason, ...detail } });
}

function dueMs(askedMs: number | null, resendAfterMs: number): number {
  return askedMs === null ? -Infinity : askedMs + resendAfterMs;
}

/** An agent that was asked to end has done so when nobody waits for a word of it. */
function isDone(draft: AgentDraft): boolean {
  const { mode, link } = draft.state;
  if (mode === 'serving' || mode === 'removed') return false;
  const isHeard = draft.allRefusals().every((refusing) => refusing.acknowledgedMs !== null);
  if (mode === 'detaching') return isHeard || link !== 'synced';
  return isHeard && draft.all().length === 0;
}
