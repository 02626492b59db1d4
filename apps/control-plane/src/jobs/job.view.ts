import { allowedActions, isFinalJob } from '@muster/domain';
import type { Explanation, JobFacts } from '@muster/domain';
import { REASON_TEXTS } from '@muster/protocol';
import type { JobReason, JobView, ReasonText, WorkerId, WorkerLink } from '@muster/protocol';
import { toJobFacts } from '../engine/fact-rows.js';
import type { JobRow } from '../engine/fact-rows.js';

/** A job's row with what is shown beside it. */
export interface ShownJobRow extends JobRow {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly result: unknown;
  readonly progress_fraction: number | null;
  readonly progress_message: string | null;
  readonly progress_at: Date | null;
  /** Of the newest attempt. */
  readonly worker_id: WorkerId | null;
  readonly worker_name: string | null;
  readonly worker_link: WorkerLink | null;
}

/** @param queued why it waits, computed now; for a job that does not wait its stored reason is the truth */
export function toJobView(row: ShownJobRow, queued: Explanation | null): JobView {
  const facts = toJobFacts(row);
  const link = facts.currentAttemptId === null ? null : row.worker_link;
  const reason = reasonOf(row, link, queued);
  return {
    id: row.id,
    name: row.name,
    status: row.status,
    desired: row.desired,
    reason,
    reasonText: isUnheard(facts, link) ? CANCEL_UNHEARD : REASON_TEXTS[reason],
    reasonDetail: queued?.detail ?? (isUnheard(facts, link) ? `worker ${row.worker_name}` : row.reason_detail),
    error: row.status === 'failed' ? row.reason_detail : null,
    owner: row.owner,
    spec: row.spec,
    labels: row.labels,
    priority: row.priority,
    attemptCount: row.attempt_count,
    currentAttemptId: row.current_attempt_id,
    workerId: row.worker_id,
    workerName: row.worker_name,
    workerLink: link,
    progress: toProgress(row),
    result: row.result,
    exitCode: row.exit?.code ?? null,
    signal: row.exit?.signal ?? null,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    notBeforeAt: row.not_before?.toISOString() ?? null,
    allowedActions: [...allowedActions(facts, link)],
  };
}

/** A worker's silence is stored with its link first; the rows of its jobs may lag behind, so it is seen when they are read. */
function reasonOf(row: ShownJobRow, link: WorkerLink | null, queued: Explanation | null): JobReason {
  if (queued !== null) return queued.reason;
  const isQuiet = (row.status === 'running' || row.status === 'paused') && row.desired !== 'cancel';
  if (isQuiet && link === 'unreachable') return 'workerUnreachable';
  if (isQuiet && link === 'suspect') return 'workerSuspect';
  return row.reason;
}

/** Cancelling, and nobody hears it. Where the lease has no end, only the worker or a person can end the job. */
function isUnheard(job: Pick<JobFacts, 'status' | 'desired'>, link: WorkerLink | null): boolean {
  return link === 'unreachable' && job.desired === 'cancel' && !isFinalJob(job.status);
}

const CANCEL_UNHEARD: ReasonText = {
  sentence: 'Cancellation was asked for, but its worker does not answer; the job may still be running there.',
  action: 'Reconnect the worker, or give the job up: `muster abandon`.',
};

function toProgress(row: ShownJobRow): JobView['progress'] {
  if (row.progress_at === null) return null;
  return { fraction: row.progress_fraction, message: row.progress_message, at: row.progress_at.toISOString() };
}
