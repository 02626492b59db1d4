/** How a drain goes on: its deadline, what must leave by then, and that the worker is empty. */
import { isStarted } from '../attempt-lifecycle.js';
import type { AttemptFacts, JobFacts, Maintenance, WorkerFacts } from '../facts.js';
import type { SweepDrainCommand } from './commands.js';
import type { Done } from './decision.js';
import type { Draft } from './draft.js';
import { mustLeave, orderWords } from './maintenance.js';
import { giveOrder } from './orders.js';

/** Found by a query a moment ago, decided anew: any number of replicas may do it at once. */
export function onSweepDrain(draft: Draft, command: SweepDrainCommand): Done {
  const worker = draft.worker(command.workerId);
  if (worker !== undefined && !worker.isRemoved) pursueDrain(draft, worker, worker.maintenance);
  return { kind: 'done' };
}

/**
 * Does what is due of the worker's drain.
 *
 * @param before what stood there when its jobs were last told: those that must leave only now are told so
 */
export function pursueDrain(draft: Draft, worker: WorkerFacts, before: Maintenance | null): void {
  const drain = worker.maintenance;
  if (drain?.kind !== 'drain' || drain.drainedMs !== null) return;
  const { nowMs } = draft.context;
  const live = draft.liveOf(worker.id);
  if (live.length === 0) {
    draft.putWorker({ ...worker, maintenance: { ...drain, drainedMs: nowMs } });
    draft.workerEvent('worker.drained', worker.id, { jobsAtStart: drain.jobsAtStart, seconds: Math.round((nowMs - drain.startedMs) / 1_000) });
    return;
  }
  const isDue = drain.deadlineMs !== null && drain.deadlineMs <= nowMs && !drain.isOverdue;
  const ordered = isDue ? draft.putWorker({ ...worker, maintenance: { ...drain, isOverdue: true } }) : worker;
  if (isDue) {
    const { policy } = drain;
    draft.workerEvent(policy === 'wait' ? 'alert.drainOverdue' : 'worker.drainDeadline', worker.id, { policy, jobsLeft: live.length });
  }
  for (const attempt of live) {
    const job = draft.job(attempt.jobId);
    if (job === undefined || !isStarted(attempt) || !mustLeave(ordered, job) || mustLeave({ maintenance: before }, job)) continue;
    askToLeave(draft, ordered, job, attempt, drain);
  }
}

function askToLeave(draft: Draft, worker: WorkerFacts, job: JobFacts, attempt: AttemptFacts, drain: Maintenance): void {
  // Being cancelled it is on its way out already.
  if (job.desired === 'cancel') return;
  const next = job.spec.retry.never === true ? 'it is not tried again, as it asks' : 'it goes back to the queue, and begins anew unless it keeps checkpoints of its own';
  draft.say(attempt, `Worker ${worker.name} ${orderWords(drain)}. The job is stopped there as planned; ${next}.`);
  giveOrder(draft, job, attempt);
}
