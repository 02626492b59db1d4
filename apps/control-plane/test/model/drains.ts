/** What people order about workers, as docs/operating-workers.md tells it. */
import { backToQueue, end, finish } from './rules.js';
import type { Model, Ordered } from './model.js';
import { isStarted, type Attempt, type DrainOrder, type Worker } from './state.js';

/** What runs there is told to stop, as a planned stop. */
export function mustLeave({ order }: Worker): boolean {
  return order?.kind === 'drain' && order.isOverdue && order.policy !== 'wait';
}

/** Nothing that turns up there may go on. */
export function mayHoldNothing(worker: Worker): boolean {
  return mustLeave(worker) || (worker.order?.kind === 'drain' && worker.order.isDrained);
}

export function cordon(model: Model, worker: Worker): Ordered {
  if (worker.order?.kind === 'drain') return 'illegal';
  worker.order = { kind: 'cordon' };
  takeBack(model, worker);
  return 'done';
}

export function drain(model: Model, worker: Worker, policy: DrainOrder['policy'], seconds: number | null): void {
  const isDrained = worker.order?.kind === 'drain' && worker.order.isDrained;
  takeBack(model, worker);
  worker.order = { kind: 'drain', policy, deadline: seconds === null ? null : model.now + seconds, isOverdue: false, isDrained };
  pursue(model, worker);
}

/** Noticed when time passes, and not before. */
export function pursue(model: Model, worker: Worker): void {
  const { order } = worker;
  if (order?.kind !== 'drain' || order.isDrained) return;
  if (model.liveOf(worker).length === 0) order.isDrained = true;
  else if (order.deadline !== null && order.deadline <= model.now) order.isOverdue = true;
}

/** The machine is given up; what stands in its place afterwards is another worker. */
export function remove(model: Model, worker: Worker, isForced: boolean): Ordered {
  const live = model.liveOf(worker);
  if (live.length > 0 && !isForced) return 'illegal';
  takeBack(model, worker);
  for (const attempt of live) if (isStarted(attempt) && attempt.job.policy !== 'exclusive') takeAway(attempt);
  Object.assign(worker, { link: 'unreachable', isSynced: false });
  model.replace(worker);
  return 'done';
}

function takeBack(model: Model, worker: Worker): void {
  for (const attempt of model.liveOf(worker)) {
    if (attempt.state !== 'offered') continue;
    end(attempt, 'superseded');
    attempt.job.epoch += 1;
    backToQueue(attempt.job, 'now');
  }
}

function takeAway(attempt: Attempt): void {
  const { job } = attempt;
  end(attempt, 'superseded');
  job.epoch += 1;
  if (job.desired === 'cancel') finish(job, 'cancelled', 'cancelledByUser');
  else if (job.policy === 'never') finish(job, 'failed', 'workerStopped');
  else backToQueue(job, 'now');
}
