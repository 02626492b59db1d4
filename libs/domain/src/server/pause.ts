/**
 * Pause and resume. Both are wishes: `desired` changes at once, the status when it is so. A job without a process is held
 * back at once; one that runs is frozen by its agent, which is told with every beat until it reports that it was done.
 */
import { canPause, isFinalJob, stoppedAtCheckpoint } from '../job-lifecycle.js';
import type { AttemptFacts, JobFacts } from '../facts.js';
import type { PauseCommand, ResumeCommand } from './commands.js';
import type { ServerReplies } from './decision.js';
import { isDoubted } from './doubt.js';
import type { Draft } from './draft.js';
import { giveOrder, stateOf, withdrawOffer } from './orders.js';
import { currentOf, illegal } from './people.js';
import { shownReason } from './wish.js';

const NO_CHECKPOINT = 'The job asks to be paused by `pause: checkpoint`, which is not supported yet. Let it run, or cancel it.';
const NO_RESUME_FROM_CHECKPOINT = 'The job stopped at a checkpoint, and going on from one is not supported yet. Submit it again to begin anew.';

export function onPause(draft: Draft, command: PauseCommand): ServerReplies['pause'] {
  const job = draft.job(command.jobId);
  if (job === undefined) return { kind: 'notFound' };
  if (isFinalJob(job.status) || job.desired === 'cancel') return illegal(draft, job, refusal(job));
  if (!canPause(job)) return illegal(draft, job, NO_CHECKPOINT);
  const attempt = currentOf(draft, job);
  const isPaused = job.desired === 'pause' || (job.status === 'paused' && attempt === undefined);
  if (isPaused) return { kind: 'done' };

  const wanted: JobFacts = { ...job, desired: 'pause' };
  draft.jobEvent('job.pauseRequested', job.id, { actor: command.actor, attemptId: job.currentAttemptId, data: noteOf(command) });
  if (attempt === undefined) {
    hold(draft, wanted, command.actor);
  } else if (attempt.state === 'offered') {
    const detail = `paused by ${command.actor} before it began`;
    hold(draft, withdrawOffer(draft, wanted, attempt, { outcome: 'superseded', detail }), command.actor);
  } else {
    draft.say(attempt, `${command.actor} asked to pause the job.`);
    tell(draft, wanted, attempt);
  }
  return { kind: 'done' };
}

export function onResume(draft: Draft, command: ResumeCommand): ServerReplies['resume'] {
  const job = draft.job(command.jobId);
  if (job === undefined) return { kind: 'notFound' };
  if (isFinalJob(job.status) || job.desired === 'cancel') return illegal(draft, job, refusal(job));
  const attempt = currentOf(draft, job);
  if (stoppedAtCheckpoint(job)) return illegal(draft, job, NO_RESUME_FROM_CHECKPOINT);
  if (job.desired === 'run') return { kind: 'done' };

  const wanted: JobFacts = { ...job, desired: 'run' };
  draft.jobEvent('job.resumeRequested', job.id, { actor: command.actor, attemptId: job.currentAttemptId, data: noteOf(command) });
  if (attempt === undefined) {
    putInLine(draft, wanted, command.actor);
  } else {
    draft.say(attempt, `${command.actor} asked to resume the job.`);
    tell(draft, wanted, attempt);
  }
  return { kind: 'done' };
}

function hold(draft: Draft, job: JobFacts, actor: string): void {
  draft.jobEvent('job.paused', job.id, { actor, data: { reason: 'held' } });
  draft.putJob({ ...job, status: 'paused', reason: 'held', reasonDetail: job.notBeforeMs === null ? null : job.reasonDetail, currentAttemptId: null });
}

function putInLine(draft: Draft, job: JobFacts, actor: string): void {
  const { nowMs } = draft.context;
  const isWaiting = job.notBeforeMs !== null && job.notBeforeMs > nowMs;
  const { queueSeconds } = job.spec.limits;
  draft.jobEvent('job.resumed', job.id, { actor });
  draft.putJob({
    ...job,
    status: 'queued',
    reason: isWaiting ? 'backoff' : 'waiting',
    reasonDetail: isWaiting ? job.reasonDetail : null,
    notBeforeMs: isWaiting ? job.notBeforeMs : null,
    queueUntilMs: queueSeconds === undefined ? null : nowMs + queueSeconds * 1_000,
  });
}

/** Stores the wish, shows it where the worker hears it, and passes it on. */
function tell(draft: Draft, job: JobFacts, attempt: AttemptFacts): void {
  const isHeard = draft.worker(attempt.workerId)?.link === 'connected' && !isDoubted(job);
  draft.putJob(isHeard ? { ...job, reason: shownReason(job, stateOf(attempt)), reasonDetail: null } : job);
  giveOrder(draft, job, attempt);
}

function refusal(job: JobFacts): string | undefined {
  return isFinalJob(job.status) ? undefined : 'The job is being cancelled, and that cannot be taken back.';
}

function noteOf(command: PauseCommand | ResumeCommand): Record<string, string> {
  return command.note === undefined ? {} : { note: command.note };
}
