/** What the orders of people about a worker mean for the jobs it holds. */
import type { JobFacts, Maintenance, WorkerFacts } from '../facts.js';

type Ordered = Pick<WorkerFacts, 'maintenance'>;

/**
 * Its process is to be stopped there, as a planned stop, and the job goes back to the queue: with `requeue` once the deadline
 * has passed, with `checkpoint` at once where the job says that it can save itself.
 */
export function mustLeave({ maintenance }: Ordered, job: Pick<JobFacts, 'spec'>): boolean {
  if (maintenance?.kind !== 'drain' || maintenance.policy === 'wait') return false;
  return maintenance.isOverdue || (maintenance.policy === 'checkpoint' && job.spec.pause === 'checkpoint');
}

/** Whether a process of the job that turns up there may be taken on again: not by a worker that was found empty, nor by one it must leave. */
export function mayHold(worker: Ordered, job: Pick<JobFacts, 'spec'>): boolean {
  const isDrained = worker.maintenance?.kind === 'drain' && worker.maintenance.drainedMs !== null;
  return !isDrained && !mustLeave(worker, job);
}

/** `is drained by ada: new disk` */
export function orderWords({ kind, by, reason }: Maintenance): string {
  return `is ${kind === 'drain' ? 'drained' : 'cordoned'} by ${by}${reason === null ? '' : `: ${reason}`}`;
}
