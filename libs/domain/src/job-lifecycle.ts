/**
 * Every status a job can be in, where it may go next, and what takes it there. The one place that says so: the reducers
 * check each move against it, specs compare SQL guards with it, and docs/lifecycles.md is drawn from it.
 */
import type { JobAction, JobStatus, WorkerLink } from '@muster/protocol';
import type { JobFacts } from './facts.js';

export const JOB_TRANSITIONS = {
  queued: {
    assigned: ['claimed'],
    running: ['reclaimed'],
    paused: ['paused by a person', 'late end: checkpointed', 'reclaimed while frozen'],
    completed: ['late end: succeeded'],
    failed: ['late end: no tries left', 'queue limit passed'],
    cancelled: ['cancel', 'late end: cancelled'],
  },
  assigned: {
    running: ['start granted'],
    queued: ['refused', 'offer expired', 'taken back from its worker'],
    paused: ['paused by a person'],
    cancelled: ['cancel'],
  },
  running: {
    paused: ['frozen', 'end: checkpointed', 'pause wanted, and nothing runs any more'],
    queued: ['end: tries left', 'lost: tries left', 'worker stopped', 'refused before its process began', 'requeued by a person'],
    completed: ['end: succeeded'],
    failed: ['end: no tries left', 'lost: no tries left', 'abandoned'],
    cancelled: ['end after cancel', 'lost after cancel', 'abandoned after cancel'],
  },
  paused: {
    running: ['thawed', 'reclaimed'],
    queued: ['resumed by a person', 'end: tries left', 'lost: tries left', 'worker stopped', 'requeued by a person'],
    completed: ['end: succeeded', 'late end: succeeded'],
    failed: ['end: no tries left', 'lost: no tries left', 'late end: no tries left', 'abandoned'],
    cancelled: ['cancel', 'end after cancel', 'lost after cancel', 'abandoned after cancel'],
  },
  completed: {},
  failed: {},
  cancelled: {},
} as const satisfies Record<JobStatus, Partial<Record<JobStatus, readonly string[]>>>;

/** Statuses a job may have just before it gets this one: what a guarded UPDATE compares with. */
export function jobStatusesBefore(to: JobStatus): readonly JobStatus[] {
  return (Object.keys(JOB_TRANSITIONS) as JobStatus[]).filter((from) => mayJobMove(from, to));
}

export function mayJobMove(from: JobStatus, to: JobStatus): boolean {
  return to in JOB_TRANSITIONS[from];
}

const FINAL = new Set((Object.keys(JOB_TRANSITIONS) as JobStatus[]).filter((status) => Object.keys(JOB_TRANSITIONS[status]).length === 0));

/** True in a status that nothing leaves. */
export function isFinalJob(status: JobStatus): boolean {
  return FINAL.has(status);
}

/** Whether its way of pausing is one that exists: a job that asks for a checkpoint is not frozen in its stead. */
export function canPause(job: Pick<JobFacts, 'spec'>): boolean {
  return (job.spec.pause ?? 'freeze') === 'freeze';
}

/** Whether it ended its process at a checkpoint: whatever was wished for meanwhile, it must not begin from zero in its stead. */
export function stoppedAtCheckpoint(job: Pick<JobFacts, 'status' | 'reason' | 'currentAttemptId'>): boolean {
  return job.status === 'paused' && job.reason === 'checkpointed' && job.currentAttemptId === null;
}

/**
 * What a person may do now and would change something.
 *
 * @param link of the worker that holds the job; null when none does
 */
export function allowedActions(job: Pick<JobFacts, 'status' | 'reason' | 'desired' | 'force' | 'currentAttemptId' | 'spec'>, link: WorkerLink | null): readonly JobAction[] {
  if (isFinalJob(job.status)) return [];
  const actions: JobAction[] = [];
  if (job.desired !== 'cancel') actions.push('cancel');
  const isHeld = job.currentAttemptId !== null && job.status !== 'assigned';
  if (isHeld && !(job.desired === 'cancel' && job.force)) actions.push('forceCancel');
  const isStopped = job.status === 'paused' && job.currentAttemptId === null;
  if (job.desired === 'run' && !isStopped && canPause(job)) actions.push('pause');
  if (job.desired === 'pause' && !stoppedAtCheckpoint(job)) actions.push('resume');
  if (isHeld && link === 'unreachable') {
    // An exclusive job may have one copy only, and only the end of its lease proves that the old one is gone.
    if (!job.spec.disconnect.exclusive && job.desired !== 'cancel') actions.push('requeue');
    actions.push('abandon');
  }
  return actions;
}
