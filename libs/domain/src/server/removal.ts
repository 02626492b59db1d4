/** A worker is given up for good. It stays readable, and no agent can be it again. */
import { isStarted } from '../attempt-lifecycle.js';
import type { AttemptFacts, WorkerFacts } from '../facts.js';
import type { RemoveWorkerCommand } from './commands.js';
import type { ServerReplies } from './decision.js';
import { doubtDetail } from './doubt.js';
import type { Draft } from './draft.js';
import { endAttempt, finishJob, retryOrFail } from './endings.js';
import { takeBackOffers } from './worker-orders.js';

export function onRemoveWorker(draft: Draft, command: RemoveWorkerCommand): ServerReplies['removeWorker'] {
  const before = draft.worker(command.workerId);
  if (before === undefined) return { kind: 'notFound' };
  if (before.isRemoved) return { kind: 'done' };
  const jobs = draft.liveOf(before.id).length;
  if (jobs > 0 && !command.force) {
    const detail = `The worker holds ${jobs} ${jobs === 1 ? 'job' : 'jobs'}.`;
    return { kind: 'illegalOrder', detail, hint: 'Drain it first, or remove it with `?force=true`: then they are taken back, and what runs of them there is stopped when its agent hears of it.' };
  }
  const worker = draft.putWorker({ ...before, isRemoved: true, link: 'unreachable' });
  draft.workerEvent('worker.removed', worker.id, { reason: command.note ?? null, jobs }, command.actor);
  takeBackOffers(draft, worker, `was removed by ${command.actor}`);
  for (const attempt of draft.liveOf(worker.id)) if (isStarted(attempt)) takeAway(draft, worker, attempt, command.actor);
  draft.notify({ kind: 'closeSession', workerId: worker.id, session: worker.session, reason: 'removed' });
  return { kind: 'done' };
}

/** Of an exclusive job only the end of its lease says that there is no copy any more. */
function takeAway(draft: Draft, worker: WorkerFacts, attempt: AttemptFacts, actor: string): void {
  const job = draft.job(attempt.jobId);
  if (job === undefined) return;
  const detail = `worker ${worker.name} was removed by ${actor}`;
  if (job.spec.disconnect.exclusive) {
    if (job.desired !== 'cancel') draft.putJob({ ...job, reason: 'workerUnreachable', reasonDetail: doubtDetail(detail, attempt) });
    return;
  }
  const ended = endAttempt(draft, attempt, { outcome: 'superseded', detail });
  draft.say(ended, `Worker ${worker.name} was removed by ${actor}. What runs of the job there is stopped when its agent hears of it.`);
  const burned = { ...job, epoch: job.epoch + 1 };
  if (job.desired === 'cancel') finishJob(draft, burned, { status: 'cancelled', reason: 'cancelledByUser', detail: `${detail}; its process may still be running there` });
  else retryOrFail(draft, burned, ended, { kind: 'stopped' }, { detail });
}
