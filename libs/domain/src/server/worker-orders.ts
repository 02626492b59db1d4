/**
 * What people order about a worker. From the transaction on that stores an order nothing new is offered there: a claim locks
 * the worker's row and looks at it, so it came before, and its offer is taken back here, or it finds the order.
 */
import type { Drain, WorkerFacts } from '../facts.js';
import type { CordonCommand, DrainCommand, SetSlotsCommand, UndrainCommand, WorkerOrder } from './commands.js';
import type { Done, IllegalOrder, NotFound } from './decision.js';
import type { Draft } from './draft.js';
import { pursueDrain } from './drains.js';
import { requeueJob } from './endings.js';
import { orderWords } from './maintenance.js';
import { withdrawOffer } from './orders.js';

type Answer = Done | IllegalOrder | NotFound;
const DONE: Done = { kind: 'done' };

export function onCordon(draft: Draft, command: CordonCommand): Answer {
  const found = orderable(draft, command);
  if ('kind' in found) return found;
  const { maintenance } = found.worker;
  if (maintenance?.kind === 'drain') {
    return { kind: 'illegalOrder', detail: `The worker ${orderWords(maintenance)}.`, hint: 'It gets no new jobs by that already. Undrain it first, then cordon it.' };
  }
  const reason = command.note ?? null;
  if (maintenance?.by === command.actor && maintenance.reason === reason) return DONE;
  const startedMs = maintenance?.startedMs ?? draft.context.nowMs;
  const worker = draft.putWorker({ ...found.worker, maintenance: { kind: 'cordon', reason, by: command.actor, startedMs } });
  draft.workerEvent('worker.cordoned', worker.id, { reason }, command.actor);
  takeBackOffers(draft, worker);
  return DONE;
}

export function onDrain(draft: Draft, command: DrainCommand): Answer {
  const found = orderable(draft, command);
  if ('kind' in found) return found;
  const { nowMs } = draft.context;
  const before = found.worker.maintenance;
  const deadlineMs = command.deadlineSeconds === null ? null : nowMs + command.deadlineSeconds * 1_000;
  const ordered = { kind: 'drain', policy: command.policy, reason: command.note ?? null, by: command.actor, deadlineMs, isOverdue: false } as const;
  const ends = { ...found.worker, maintenance: { ...ordered, startedMs: nowMs, jobsAtStart: 0, drainedMs: null } };
  takeBackOffers(draft, ends);
  const jobsLeft = draft.liveOf(ends.id).length;
  // Ordered again it goes on as the drain it was, on other terms; what was found empty stays so.
  const progress = before?.kind === 'drain' ? before : { startedMs: before?.startedMs ?? nowMs, jobsAtStart: jobsLeft, drainedMs: null };
  const { startedMs, jobsAtStart, drainedMs } = progress;
  const drain: Drain = { ...ordered, startedMs, jobsAtStart, drainedMs };
  const worker = draft.putWorker({ ...ends, maintenance: drain });
  const { policy, reason } = drain;
  draft.workerEvent('worker.drainStarted', worker.id, { policy, reason, deadlineAt: deadlineMs === null ? null : new Date(deadlineMs).toISOString(), jobsLeft }, command.actor);
  pursueDrain(draft, worker, before);
  return DONE;
}

/** What was already told to stop stops; everything else goes on. */
export function onUndrain(draft: Draft, command: UndrainCommand): Answer {
  const found = orderable(draft, command);
  if ('kind' in found) return found;
  const { worker } = found;
  if (worker.maintenance === null) return DONE;
  draft.putWorker({ ...worker, maintenance: null });
  draft.workerEvent('worker.undrained', worker.id, { reason: command.note ?? null, was: worker.maintenance.kind }, command.actor);
  draft.notify({ kind: 'wakeDispatch' });
  return DONE;
}

/** Its agent is told with its next beat. Of fewer slots, what runs above them ends by itself; of more, its beat says when they are open. */
export function onSetSlots(draft: Draft, command: SetSlotsCommand): Answer {
  const found = orderable(draft, command);
  if ('kind' in found) return found;
  const { worker } = found;
  const slotsSaid = worker.slotsSaid ?? worker.slots;
  const slots = command.slots ?? slotsSaid;
  if (worker.slots === slots && worker.slotsOrdered === command.slots) return DONE;
  draft.putWorker({ ...worker, slots, slotsSaid, slotsOrdered: command.slots, slotsUsable: Math.min(worker.slotsUsable, slots) });
  draft.workerEvent('worker.changed', worker.id, { changed: ['slots'], slots, before: worker.slots }, command.actor);
  return DONE;
}

/** Offers that nobody took up come back under a burned epoch, free of charge. */
export function takeBackOffers(draft: Draft, worker: WorkerFacts, why = worker.maintenance === null ? 'was removed' : orderWords(worker.maintenance)): void {
  for (const attempt of draft.liveOf(worker.id)) {
    const job = draft.job(attempt.jobId);
    if (attempt.state !== 'offered' || job === undefined) continue;
    const detail = `taken back, because worker ${worker.name} ${why}`;
    requeueJob(draft, withdrawOffer(draft, job, attempt, { outcome: 'superseded', detail }), { reason: 'waiting', detail });
  }
}

/** The worker, if it is one that orders can be about. */
export function orderable(draft: Draft, { workerId }: Pick<WorkerOrder, 'workerId'>): { readonly worker: WorkerFacts } | IllegalOrder | NotFound {
  const worker = draft.worker(workerId);
  if (worker === undefined) return { kind: 'notFound' };
  if (worker.isRemoved) return { kind: 'illegalOrder', detail: 'The worker was removed.', hint: 'It only stays readable. An agent on that machine becomes a new worker once its state directory is gone.' };
  return { worker };
}
