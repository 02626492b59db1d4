/**
 * What time does when nobody speaks. Each command was found by a query a moment ago and is decided anew from locked rows,
 * so any number of replicas may sweep at once and a beat that came in between wins.
 */
import { isLive, isStarted } from '../attempt-lifecycle.js';
import type { WorkerFacts } from '../facts.js';
import { workerLink } from '../worker-lifecycle.js';
import type { SweepAttemptCommand, SweepQueuedCommand, WorkerLinkCommand } from './commands.js';
import type { Done } from './decision.js';
import { doubtDetail } from './doubt.js';
import type { Draft } from './draft.js';
import { finishJob } from './endings.js';
import { expireLease } from './expiry.js';
import { isLeaseOver } from './lease.js';

const DONE: Done = { kind: 'done' };

export function onSweepAttempt(draft: Draft, command: SweepAttemptCommand): Done {
  const attempt = draft.attempt(command.attemptId);
  const job = attempt === undefined ? undefined : draft.job(attempt.jobId);
  if (attempt !== undefined && job !== undefined && isLive(attempt) && isLeaseOver(attempt, draft.context.nowMs)) {
    expireLease(draft, job, attempt);
  }
  return DONE;
}

/** The queue limit counts until the first start; a job that waits for a further try has been taken once. A paused one is not in line. */
export function onSweepQueued(draft: Draft, command: SweepQueuedCommand): Done {
  const job = draft.job(command.jobId);
  if (job === undefined || job.queueUntilMs === null || job.status !== 'queued' || job.startedMs !== null) return DONE;
  if (draft.context.nowMs >= job.queueUntilMs) {
    finishJob(draft, job, { status: 'failed', reason: 'queueTimeout', detail: `not started within ${job.spec.limits.queueSeconds ?? 0} s` });
  }
  return DONE;
}

/** A link only gets worse here; hello and beats mend it. */
export function onWorkerLink(draft: Draft, command: WorkerLinkCommand): Done {
  const worker = draft.worker(command.workerId);
  if (worker === undefined || worker.isRemoved) return DONE;
  const link = workerLink({
    silentMs: worker.lastBeatMs === null ? null : draft.context.nowMs - worker.lastBeatMs,
    isSocketClosed: command.socket === 'closed',
    beatIntervalMs: draft.context.beatIntervalMs,
    workerTimeoutMs: draft.context.workerTimeoutMs,
  });
  const isWorse = link === 'unreachable' ? worker.link !== 'unreachable' : link === 'suspect' && worker.link === 'connected';
  if (!isWorse || link === 'connected') return DONE;
  draft.putWorker({ ...worker, link });
  draft.workerEvent(link === 'unreachable' ? 'worker.unreachable' : 'worker.suspect', worker.id, { socket: command.socket });
  for (const attempt of draft.liveOf(worker.id)) {
    if (isStarted(attempt)) showOnJob(draft, worker, attempt.id, link);
  }
  return DONE;
}

function showOnJob(draft: Draft, worker: WorkerFacts, attemptId: Parameters<Draft['attempt']>[0], link: 'suspect' | 'unreachable'): void {
  const attempt = draft.attempt(attemptId);
  const job = attempt === undefined ? undefined : draft.job(attempt.jobId);
  if (attempt === undefined || job === undefined) return;
  if (link === 'unreachable') {
    const leftMs = attempt.leaseUntilMs === null ? null : Math.max(0, attempt.leaseUntilMs - draft.context.nowMs);
    const next = leftMs === null ? 'it waits for the worker or for a person' : `it is given up in ${Math.ceil(leftMs / 1_000)} s`;
    draft.say(attempt, `Worker ${worker.name} does not answer. The job may still be running there; ${next}.`);
    if (leftMs === null) draft.jobEvent('job.waiting', job.id, { attemptId: attempt.id, workerId: worker.id });
  }
  // A wish to cancel says more than the link does.
  if (job.desired === 'cancel') return;
  const known = link === 'unreachable' ? 'does not answer, and the job may still be running there' : 'was not heard lately, and the job is presumed to run on there';
  const reasonDetail = doubtDetail(`worker ${worker.name} ${known}`, attempt);
  draft.putJob({ ...job, reason: link === 'unreachable' ? 'workerUnreachable' : 'workerSuspect', reasonDetail });
}
