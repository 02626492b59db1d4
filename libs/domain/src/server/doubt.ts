/** What the silence of a worker makes of the jobs it holds is taken back when it is heard again. */
import type { ExecutionState } from '@muster/protocol';
import { isStarted } from '../attempt-lifecycle.js';
import type { AttemptFacts, WorkerFacts } from '../facts.js';
import type { Draft } from './draft.js';
import { shownReason } from './wish.js';

/**
 * The worker is heard: also a job that it did not name (an exclusive one whose agent began anew, say, and that waits for its
 * lease) is no longer shown as doubtful for its silence.
 */
export function clearDoubt(draft: Draft, worker: Pick<WorkerFacts, 'id'>): void {
  for (const attempt of draft.liveOf(worker.id)) {
    const job = draft.job(attempt.jobId);
    if (job === undefined || !isStarted(attempt)) continue;
    if (job.reason !== 'workerSuspect' && job.reason !== 'workerUnreachable') continue;
    draft.putJob({ ...job, reason: shownReason(job, lastReported(attempt)), reasonDetail: null });
  }
}

function lastReported(attempt: AttemptFacts): ExecutionState {
  if (attempt.state === 'finalizing') return 'exited';
  return attempt.state === 'paused' ? 'paused' : 'running';
}
