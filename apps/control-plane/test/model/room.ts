/** What workers have to give, and what they hold although no lease says so, as docs/protocol.md tells it. */
import type { Verdict } from '@muster/protocol';
import type { Model } from './model.js';
import { isLive, type Attempt, type Execution, type Job, type Worker } from './state.js';

/** How many offers the worker would take now. */
export function slotsOf(model: Model, worker: Worker): number {
  if (!worker.isSynced || worker.link !== 'connected' || worker.takesNoOffers || worker.order !== null) return 0;
  return Math.max(0, Math.min(worker.slots, worker.usableSlots) - model.liveOf(worker).length);
}

/** Those that nobody has, lowest first. */
function freeGpus(model: Model, worker: Worker): number[] {
  const taken = new Set([...worker.heldGpus, ...model.liveOf(worker).flatMap(({ gpus }) => gpus)]);
  return worker.gpus.filter((index) => !taken.has(index));
}

export function hasRoomFor(model: Model, worker: Worker, job: Job): boolean {
  return slotsOf(model, worker) > 0 && (job.policy !== 'gpu' || freeGpus(model, worker).length > 0);
}

/** What an offer of the job would get there. */
export function gpusFor(model: Model, worker: Worker, job: Job): readonly number[] {
  return job.policy === 'gpu' ? freeGpus(model, worker).slice(0, 1) : [];
}

/** The process of a lost attempt may go on where its slot and its GPUs were not given to others. */
export function mayGoOn(model: Model, { worker, gpus }: Attempt): boolean {
  const live = model.liveOf(worker);
  return live.length < worker.slots && !live.some((attempt) => attempt.gpus.some((index) => gpus.includes(index)));
}

/** Of what is listed: slots that a lease covers, or whose end was told since. */
export function slotsNotHeldBack(model: Model, worker: Worker, listed: readonly Execution[], verdicts: readonly Verdict[]): number {
  return listed.filter((execution, index) => execution.state !== 'exited' && !isHeldBack(model, worker, execution, verdicts[index])).length;
}

export function heldGpus(model: Model, worker: Worker, listed: readonly Execution[], verdicts: readonly Verdict[]): number[] {
  const heldBack = listed.filter((execution, index) => execution.state !== 'exited' && isHeldBack(model, worker, execution, verdicts[index]));
  const named = heldBack.flatMap(({ attemptId, epoch }) => model.termOf(worker, attemptId, epoch)?.gpus ?? []);
  return [...new Set([...worker.stuckGpus, ...named])];
}

/** Its processes could not be ended: nobody is offered its place before a beat says more. */
export function withhold(worker: Worker, { gpus }: Attempt): void {
  worker.usableSlots = Math.max(0, worker.usableSlots - 1);
  worker.heldGpus = [...worker.heldGpus, ...gpus];
}

function isHeldBack(model: Model, worker: Worker, { attemptId, epoch }: Execution, verdict: Verdict | undefined): boolean {
  if (verdict?.kind === 'keep' || verdict?.kind === 'reclaimed') return false;
  const attempt = model.termOf(worker, attemptId, epoch);
  if (attempt === undefined || isLive(attempt) || attempt.outcome === 'unkillable') return true;
  return attempt.outcome === 'lost' || attempt.outcome === 'refused' || attempt.outcome === 'superseded';
}
