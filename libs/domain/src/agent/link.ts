/** The connection: hello on every one, beats, and what their answers say about each execution. */
import { DISCONNECTS } from '@muster/protocol';
import type { DisconnectReason, Verdict } from '@muster/protocol';
import { fenceMs } from '../spec-checks.js';
import type { AgentDraft } from './draft.js';
import { beatSoon, gpusHeld, hasProcess, reports } from './draft.js';
import type { LinkEvent } from './events.js';
import { applyCommand, orderStop, supersede } from './orders.js';
import type { Execution } from './state.js';

type Event<Type extends LinkEvent['type']> = Extract<LinkEvent, { type: Type }>;

export function onConnected(draft: AgentDraft): void {
  if (draft.state.mode === 'removed') return;
  const connection = draft.state.connection + 1;
  draft.set({ link: 'greeting', connection, nextBeatMs: null });
  draft.effect({ type: 'sendHello', connection, session: draft.state.session, executions: reports(draft), gpusHeld: gpusHeld(draft) });
}

export function onDisconnected(draft: AgentDraft): void {
  draft.set({ link: 'down', nextBeatMs: null });
}

export function onHelloAnswered(draft: AgentDraft, event: Event<'helloAnswered'>): void {
  if (event.connection !== draft.state.connection || draft.state.link !== 'greeting') return;
  if (event.answer === 'timeout' || 'error' in event.answer) {
    const reason = event.answer === 'timeout' ? 'hello was not answered' : event.answer.error.detail;
    draft.effect({ type: 'reconnect', reason });
    return;
  }
  const { ok } = event.answer;
  if (ok.workerId !== draft.state.workerId) draft.effect({ type: 'keepIdentity', workerId: ok.workerId });
  takeSlots(draft, ok.slots);
  draft.set({ link: 'synced', workerId: ok.workerId, session: ok.session, beatIntervalMs: ok.beatIntervalMs, nextBeatMs: draft.nowMs });
  for (const verdict of ok.verdicts) applyVerdict(draft, verdict, event.sentMs);
  // Whatever was on its way over the old connection may be lost: ask and tell again at once.
  for (const execution of draft.all()) draft.put({ ...execution, askedMs: null });
  for (const refusing of draft.allRefusals()) if (refusing.acknowledgedMs === null) draft.putRefusal({ ...refusing, sentMs: null });
}

export function onBeatAnswered(draft: AgentDraft, event: Event<'beatAnswered'>): void {
  if (event.answer === 'timeout') return;
  if ('error' in event.answer) {
    if (event.answer.error.code === 'notSynced') draft.effect({ type: 'reconnect', reason: event.answer.error.detail });
    return;
  }
  draft.set({ beatIntervalMs: event.answer.ok.beatIntervalMs });
  takeSlots(draft, event.answer.ok.slots);
  for (const verdict of event.answer.ok.verdicts) applyVerdict(draft, verdict, event.sentMs);
}

/** People may give the worker other slots than it says it has; nobody who runs above them is stopped. */
function takeSlots(draft: AgentDraft, slots: number | undefined): void {
  if (slots === undefined || slots === draft.state.slots) return;
  draft.set({ slots });
  draft.effect({ type: 'setSlots', slots });
  beatSoon(draft);
}

export function onClosing(draft: AgentDraft, event: Event<'closing'>): void {
  leave(draft, event.reason);
}

/** Ends the agent where reconnecting would be wrong; otherwise the socket's end brings the next hello. */
export function leave(draft: AgentDraft, reason: DisconnectReason): void {
  // Whatever else it is told: what it began to stop is stopped first.
  if (draft.state.mode === 'removed') return;
  const { agent } = DISCONNECTS[reason];
  if (agent === 'stopJobsAndExit78') stopForGood(draft);
  else if (agent !== 'reconnect') draft.exit({ code: agent === 'exit78' ? 78 : 0, reason });
}

/** Its jobs are somebody else's by now, and nobody hears it any more. What ended untold stays on disk as it is. */
function stopForGood(draft: AgentDraft): void {
  draft.set({ mode: 'removed', nextBeatMs: null });
  for (const execution of draft.all()) if (execution.phase !== 'exited') supersede(draft, execution);
}

/** A verdict is about a term; when the execution runs in another one by now, it says nothing. */
function applyVerdict(draft: AgentDraft, verdict: Verdict, sentMs: number): void {
  const execution = draft.inTermOf(verdict.ref);
  if (execution === undefined || execution.phase === 'draining') return;
  switch (verdict.kind) {
    case 'keep': {
      const renewed = extend(draft, execution, verdict.leaseMs, sentMs);
      if (verdict.command !== null) applyCommand(draft, renewed, verdict.command);
      return;
    }
    case 'stop':
      supersede(draft, execution);
      return;
    case 'reclaimed':
      rebind(draft, execution, verdict);
      return;
    case 'unleased':
      // Only an exclusive process must not outlive its lease; the warden has killed it, or does so now.
      if (execution.spec.disconnect.exclusive) orderStop(draft, execution, 'leaseOver', true);
      return;
    case 'reportEnd':
      if (execution.phase === 'exited') draft.put({ ...execution, askedMs: null });
      return;
  }
}

function extend(draft: AgentDraft, execution: Execution, leaseMs: number | null, sentMs: number): Execution {
  if (!execution.spec.disconnect.exclusive || leaseMs === null || !hasProcess(execution)) return execution;
  const deadlineMs = sentMs + fenceMs(leaseMs);
  if (execution.deadlineMs !== null && deadlineMs <= execution.deadlineMs) return execution;
  draft.effect({ type: 'setDeadline', executionId: execution.executionId, deadlineMs });
  return draft.put({ ...execution, deadlineMs });
}

function rebind(draft: AgentDraft, execution: Execution, verdict: Extract<Verdict, { kind: 'reclaimed' }>): void {
  if (!hasProcess(execution) && execution.phase !== 'exited') return;
  draft.effect({ type: 'rebind', executionId: execution.executionId, ref: verdict.attempt });
  draft.put({ ...execution, ref: verdict.attempt, askedMs: null });
}

