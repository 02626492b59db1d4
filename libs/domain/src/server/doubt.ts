/** A worker is heard, and does not name a process it was granted: whether that still runs is not known, and not guessed. */
import type { AttemptId, JobReason } from '@muster/protocol';
import { isStarted } from '../attempt-lifecycle.js';
import type { AttemptFacts, JobFacts, WorkerFacts } from '../facts.js';
import type { Draft } from './draft.js';

/** Reasons that only say how far it is and how well its worker is heard. Others stand above that. */
const REASONS_OF_PROGRESS: readonly JobReason[] = ['starting', 'running', 'pausing', 'frozen', 'resuming', 'workerSuspect', 'workerUnreachable'];

export function isProgress(reason: JobReason): boolean {
  return REASONS_OF_PROGRESS.includes(reason);
}

/** Its worker was silent, or does not know its process; the next report that names it clears that. */
export function isDoubted(job: Pick<JobFacts, 'reason'>): boolean {
  return job.reason === 'workerSuspect' || job.reason === 'workerUnreachable';
}

/** What is known of it, and what comes next when nothing more is heard: its lease is not renewed meanwhile. */
export function doubtDetail(known: string, { leaseUntilMs }: Pick<AttemptFacts, 'leaseUntilMs'>): string {
  if (leaseUntilMs === null) return `${known}; the job waits until it is named again, or for a person`;
  return `${known}; unless it is named again, the attempt is given up as lost at ${new Date(leaseUntilMs).toISOString()}`;
}

/**
 * Of the jobs that a heard worker holds and did not name, those that its silence made doubtful stay so, in other words; and
 * all of them become so with a new start of its agent, which has read its disk and found nothing (of what is not lost by
 * that, exclusive jobs: they wait for their lease).
 */
export function keepDoubt(draft: Draft, worker: WorkerFacts, named: ReadonlySet<AttemptId | undefined>, isNewStart: boolean): void {
  for (const attempt of draft.liveOf(worker.id)) {
    const job = draft.job(attempt.jobId);
    if (job === undefined || !isStarted(attempt) || named.has(attempt.id)) continue;
    if (!isDoubted(job) && !(isNewStart && isProgress(job.reason))) continue;
    doubt(draft, worker, job, attempt);
  }
}

/** The job is shown as what it is when its worker is heard and nothing is known of its process. A wish to cancel says more. */
export function doubt(draft: Draft, worker: Pick<WorkerFacts, 'name'>, job: JobFacts, attempt: AttemptFacts): void {
  if (!isProgress(job.reason)) return;
  draft.putJob({ ...job, reason: 'workerSuspect', reasonDetail: doubtDetail(`worker ${worker.name} is heard, but its agent does not name the process`, attempt) });
}
