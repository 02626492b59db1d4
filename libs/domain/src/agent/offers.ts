/** From an offer to a started process: intent on disk, `start`, `go` in time, and only then a process. */
import { TIMES } from '@muster/protocol';
import type { Refusal, StartAck } from '@muster/protocol';
import { fenceMs } from '../spec-checks.js';
import type { AgentDraft } from './draft.js';
import { freeSlots, holdsSlot } from './draft.js';
import type { OfferEvent } from './events.js';
import { endUnstarted, giveBack, refuse } from './orders.js';
import type { Execution } from './state.js';

/** After so many answers that came too late the attempt is given back: another worker may be nearer. */
const LATE_GOES_MAX = 3;

type Event<Type extends OfferEvent['type']> = Extract<OfferEvent, { type: Type }>;

export function onOffered(draft: AgentDraft, event: Event<'offered'>): void {
  const { offer } = event;
  const ref = { attemptId: offer.attemptId, epoch: offer.epoch };
  // The same offer once more: it is being taken, or was declined, and stays so.
  if (draft.knows(offer.attemptId) || draft.refusal(offer.attemptId) !== undefined) return;
  const objection = objectionTo(draft, event);
  if (objection !== null) {
    refuse(draft, ref, objection.reason, objection.detail);
    return;
  }
  const { jobId, number, spec, gpus, offerTtlMs } = offer;
  const executionId = offer.attemptId;
  draft.put({
    executionId, ref, jobId, number, spec, gpus, offerTtlMs,
    phase: 'accepting', askedMs: null, lateGoes: 0, deadlineMs: null, stop: null, isPauseWanted: false, isSuperseded: false, end: null, isLogDone: false,
  });
  draft.effect({ type: 'writeIntent', intent: { executionId, ref, jobId, number, spec, gpus, offerTtlMs } });
}

export function onWithdrawn(draft: AgentDraft, event: Event<'withdrawn'>): void {
  const execution = draft.inTermOf(event.ref);
  if (execution?.phase === 'accepting' || execution?.phase === 'asking') draft.forget(execution);
}

export function onIntentWritten(draft: AgentDraft, event: Event<'intentWritten'>): void {
  const execution = draft.get(event.executionId);
  if (execution?.phase === 'accepting') draft.put({ ...execution, phase: 'asking' });
}

export function onIntentFailed(draft: AgentDraft, event: Event<'intentFailed'>): void {
  const execution = draft.get(event.executionId);
  if (execution?.phase === 'accepting') giveBack(draft, execution, event.reason, event.detail);
}

export function onStartAnswered(draft: AgentDraft, event: Event<'startAnswered'>): void {
  const execution = draft.inTermOf(event.ref);
  // Whatever came first decided: a late or repeated answer finds nothing that asks.
  if (execution?.phase !== 'asking') return;
  if (event.answer === 'timeout' || 'error' in event.answer) {
    draft.put({ ...execution, askedMs: draft.nowMs });
    return;
  }
  const ack = event.answer.ok;
  if (ack.kind === 'go') onGo(draft, execution, ack, event.sentMs);
  else if (ack.reason === 'cancelled') endUnstarted(draft, execution);
  else draft.forget(execution);
}

export function onRefuseAnswered(draft: AgentDraft, event: Event<'refuseAnswered'>): void {
  const refusing = draft.refusal(event.ref.attemptId);
  if (refusing === undefined || event.answer === 'timeout' || 'error' in event.answer) return;
  draft.putRefusal({ ...refusing, acknowledgedMs: draft.nowMs });
}

/** The start was granted. Every term counts from when the request left us, whatever the answer's journey took. */
function onGo(draft: AgentDraft, execution: Execution, ack: Extract<StartAck, { kind: 'go' }>, sentMs: number): void {
  const lastMs = sentMs + Math.min(execution.offerTtlMs * TIMES.agentShare, ack.leaseMs === null ? Infinity : fenceMs(ack.leaseMs));
  if (draft.nowMs > lastMs) {
    tooLate(draft, execution);
    return;
  }
  const isFenced = execution.spec.disconnect.exclusive && ack.leaseMs !== null;
  const deadlineMs = isFenced ? sentMs + fenceMs(ack.leaseMs ?? 0) : null;
  draft.put({ ...execution, phase: 'starting', askedMs: null, deadlineMs });
  draft.effect({ type: 'spawn', executionId: execution.executionId, notAfterMs: lastMs, deadlineMs });
}

/** Nothing ran and nothing will by that answer: ask anew, and after a few times give the attempt back. */
export function tooLate(draft: AgentDraft, execution: Execution): void {
  const lateGoes = execution.lateGoes + 1;
  if (lateGoes >= LATE_GOES_MAX) giveBack(draft, execution, 'tooLate', `the grant came too late ${lateGoes} times`);
  else draft.put({ ...execution, phase: 'asking', askedMs: null, lateGoes });
}

function objectionTo(draft: AgentDraft, event: Event<'offered'>): { readonly reason: Refusal; readonly detail: string | null } | null {
  const { state } = draft;
  if (state.mode !== 'serving') return { reason: 'agentStopping', detail: null };
  if (event.objection !== null) return event.objection;
  if (state.objection !== null) return { reason: state.objection, detail: null };
  if (freeSlots(draft) === 0) return { reason: 'noSlot', detail: `all ${state.slots} slots are held` };
  const held = [...state.gpusQuarantined, ...draft.all().filter(holdsSlot).flatMap((execution) => execution.gpus)];
  const taken = event.offer.gpus.filter((index) => held.includes(index));
  return taken.length === 0 ? null : { reason: 'noSlot', detail: `GPU ${taken.join(', ')} is still held` };
}
