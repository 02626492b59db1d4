/** What people order: cancel, and the two ways out of waiting for a worker that does not answer. */
import { allowedActions, isFinalJob } from '../job-lifecycle.js';
import type { AttemptFacts, JobFacts } from '../facts.js';
import type { AbandonCommand, CancelCommand, RequeueCommand } from './commands.js';
import type { Illegal, ServerReplies } from './decision.js';
import type { Draft } from './draft.js';
import { endAttempt, finishJob, requeueJob } from './endings.js';
import { giveOrder, withdrawOffer } from './orders.js';

export function onCancel(draft: Draft, command: CancelCommand): ServerReplies['cancel'] {
  const job = draft.job(command.jobId);
  if (job === undefined) return { kind: 'notFound' };
  if (job.status === 'cancelled') return { kind: 'done' };
  if (isFinalJob(job.status)) return illegal(draft, job);
  const isNews = job.desired !== 'cancel' || (command.force && !job.force);
  if (!isNews) return { kind: 'done' };

  const wanted: JobFacts = { ...job, desired: 'cancel', force: job.force || command.force };
  draft.jobEvent('job.cancelRequested', job.id, { actor: command.actor, attemptId: job.currentAttemptId, data: { force: command.force, ...(command.note === undefined ? {} : { note: command.note }) } });
  const attempt = currentOf(draft, job);
  if (attempt === undefined) {
    finishJob(draft, wanted, { status: 'cancelled', reason: 'cancelledByUser', detail: null, actor: command.actor });
  } else if (attempt.state === 'offered') {
    const detail = `cancelled by ${command.actor} before it began`;
    const freed = withdrawOffer(draft, wanted, attempt, { outcome: 'cancelled', detail });
    finishJob(draft, freed, { status: 'cancelled', reason: 'cancelledByUser', detail: null, actor: command.actor });
  } else {
    askToStop(draft, wanted, attempt, command);
  }
  return { kind: 'done' };
}

/** A person takes the job away from a worker that does not answer. Its process is stopped when it comes back. */
export function onRequeue(draft: Draft, command: RequeueCommand): ServerReplies['requeue'] {
  const given = giveUp(draft, command, 'requeue', 'taken back by');
  if ('kind' in given) return given;
  requeueJob(draft, given.job, { reason: 'waiting', detail: `taken back by ${command.actor}`, actor: command.actor });
  return { kind: 'done' };
}

export function onAbandon(draft: Draft, command: AbandonCommand): ServerReplies['abandon'] {
  const given = giveUp(draft, command, 'abandon', 'given up by');
  if ('kind' in given) return given;
  const status = given.job.desired === 'cancel' ? 'cancelled' : 'failed';
  const detail = `given up by ${command.actor}; its process may still be running`;
  finishJob(draft, given.job, { status, reason: 'abandoned', detail, actor: command.actor });
  return { kind: 'done' };
}

function askToStop(draft: Draft, job: JobFacts, attempt: AttemptFacts, command: CancelCommand): void {
  draft.putJob({ ...job, reason: 'cancelling', reasonDetail: null });
  draft.say(attempt, `${command.actor} asked to cancel the job${command.force ? ' without grace' : ''}.`);
  giveOrder(draft, job, attempt);
}

function giveUp(
  draft: Draft,
  command: RequeueCommand | AbandonCommand,
  action: 'requeue' | 'abandon',
  words: string,
): { readonly job: JobFacts } | Exclude<ServerReplies['requeue'], { kind: 'done' }> {
  const job = draft.job(command.jobId);
  if (job === undefined) return { kind: 'notFound' };
  const attempt = currentOf(draft, job);
  const link = attempt === undefined ? null : (draft.worker(attempt.workerId)?.link ?? null);
  if (attempt === undefined || !allowedActions(job, link).includes(action)) return illegal(draft, job);
  const ended = endAttempt(draft, attempt, { outcome: 'superseded', detail: `${words} ${command.actor}` });
  draft.say(ended, `${command.actor} gave up waiting for worker ${draft.workerName(attempt.workerId)}.`);
  return { job: { ...job, epoch: job.epoch + 1 } };
}

/** The attempt that holds the job now. */
export function currentOf(draft: Draft, job: JobFacts): AttemptFacts | undefined {
  return job.currentAttemptId === null ? undefined : draft.attempt(job.currentAttemptId);
}

/** @param detail why, and what to do, where the status alone does not say it */
export function illegal(draft: Draft, job: JobFacts, detail?: string): Illegal {
  const attempt = currentOf(draft, job);
  const link = attempt === undefined ? null : (draft.worker(attempt.workerId)?.link ?? null);
  const why = detail === undefined ? {} : { detail };
  return { kind: 'illegal', status: job.status, allowedActions: allowedActions(job, link), ...why };
}
