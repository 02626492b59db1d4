/**
 * What becomes of one execution that an agent says it has. Hello and beat answer every listed execution with a verdict;
 * the same question asked again gets an answer that means the same, so answers may be lost.
 */
import type { AttemptRef, AttemptState, ExecutionReport, ExecutionState, Verdict } from '@muster/protocol';
import { isLive } from '../attempt-lifecycle.js';
import type { AttemptFacts, JobFacts, WorkerFacts } from '../facts.js';
import { doubt, isProgress } from './doubt.js';
import type { Draft } from './draft.js';
import { expireLease } from './expiry.js';
import { isLeaseOver, laterMs, leaseEndMs, leaseLengthMs } from './lease.js';
import { mayHold } from './maintenance.js';
import { mayReturn, reclaim } from './reclaim.js';
import { termOf } from './term.js';
import { orderFor, shownReason } from './wish.js';
import { isWitness } from './witness.js';

/** The state of an attempt, as an agent would say it that agrees. */
const STATES = { offered: 'accepted', running: 'running', paused: 'paused', finalizing: 'exited' } as const satisfies Record<Exclude<AttemptState, 'ended'>, ExecutionState>;

/** @param isEcho its state was read from our own rows some time ago: what it was may have changed since */
export function judge(draft: Draft, worker: WorkerFacts, told: ExecutionReport, isEcho = false): Verdict {
  const ref = refOf(told);
  const term = termOf(draft, worker, told);
  if (term === undefined) return { kind: 'stop', ref, reason: 'unknown' };
  const { job, attempt } = term;
  const report = isEcho && attempt.state !== 'ended' ? { ...told, state: STATES[attempt.state] } : told;
  if (!isLive(attempt)) return judgeEnded(draft, worker, job, attempt, report);
  if (attempt.state === 'offered') return judgeOffered(draft, attempt, ref);
  if (isLeaseOver(attempt, draft.context.nowMs)) {
    // A lease that is over is never renewed: the attempt is lost first, and then judged as what it is.
    expireLease(draft, job, attempt);
    return judge(draft, worker, told, isEcho);
  }
  if (!isWitness(job, attempt, worker.session) && (report.state === 'accepted' || report.state === 'exited')) return judgeAbsence(draft, worker, job, attempt, report);
  const leaseMs = renew(draft, worker, job, attempt, report);
  if (attempt.id === report.attemptId) return { kind: 'keep', ref, leaseMs, command: orderFor(worker, job, report.state) };
  return { kind: 'reclaimed', ref, attempt: refOf({ attemptId: attempt.id, epoch: attempt.epoch }), leaseMs };
}

/** A copy of the disk looks like that too, while the process lives elsewhere: nothing of it renews the lease. */
function judgeAbsence(draft: Draft, worker: WorkerFacts, job: JobFacts, attempt: AttemptFacts, report: ExecutionReport): Verdict {
  const ref = refOf(report);
  // It may be the true end of the process, which a disk keeps: then that is told next.
  if (report.state === 'exited') return { kind: 'reportEnd', ref };
  doubt(draft, worker, job, attempt);
  return { kind: 'unleased', ref };
}

function judgeOffered(draft: Draft, attempt: AttemptFacts, ref: AttemptRef): Verdict {
  // The agent has its intent and will ask for its start; naming it does not prolong the offer.
  const leftMs = attempt.leaseUntilMs === null ? null : Math.max(0, attempt.leaseUntilMs - draft.context.nowMs);
  return { kind: 'keep', ref, leaseMs: leftMs, command: null };
}

function renew(draft: Draft, worker: WorkerFacts, job: JobFacts, attempt: AttemptFacts, report: ExecutionReport): number | null {
  const lengthMs = leaseLengthMs(job, draft.context);
  const state = mirroredState(attempt, report);
  // Who names the process alive has it, and knows when it is gone.
  const grantedSession = report.state === 'running' || report.state === 'paused' ? worker.session : attempt.grantedSession;
  const endMs = leaseEndMs(lengthMs, draft.context.nowMs);
  draft.putAttempt({ ...attempt, state, leaseUntilMs: endMs === null ? null : laterMs(attempt.leaseUntilMs, endMs), grantedSession });
  mirrorOnJob(draft, job, attempt, state, report);
  return lengthMs;
}

function mirroredState(attempt: AttemptFacts, report: ExecutionReport): AttemptFacts['state'] {
  // A process that is gone does not come back: an older report that says otherwise was late.
  if (attempt.state === 'finalizing' || report.state === 'exited') return 'finalizing';
  return report.state === 'paused' ? 'paused' : 'running';
}

function mirrorOnJob(draft: Draft, job: JobFacts, attempt: AttemptFacts, state: AttemptFacts['state'], report: ExecutionReport): void {
  const status = state === 'paused' ? 'paused' : state === 'running' ? 'running' : job.status;
  // A beat knows better than what the worker's silence made of it.
  const isReplaced = isProgress(job.reason);
  const reason = isReplaced ? shownReason(job, state === 'finalizing' ? 'exited' : report.state) : job.reason;
  if (status === job.status && reason === job.reason) return;
  if (status !== job.status) tellOfPause(draft, job, attempt, status);
  draft.putJob({ ...job, status, reason, reasonDetail: isReplaced ? null : job.reasonDetail });
}

function tellOfPause(draft: Draft, job: JobFacts, attempt: AttemptFacts, status: JobFacts['status']): void {
  const isFrozen = status === 'paused';
  const about = { attemptId: attempt.id, workerId: attempt.workerId };
  draft.jobEvent(isFrozen ? 'job.paused' : 'job.resumed', job.id, { ...about, data: isFrozen ? { reason: 'frozen' } : {} });
  draft.say(attempt, isFrozen ? 'The job is frozen. Its slot, memory and GPUs stay held; its run limit does not count.' : 'The job goes on from where it was frozen.');
}

function judgeEnded(draft: Draft, worker: WorkerFacts, job: JobFacts, attempt: AttemptFacts, report: ExecutionReport): Verdict {
  const ref = refOf(report);
  if (mayReturn(job, attempt)) {
    if (report.state === 'exited') return { kind: 'reportEnd', ref };
    // If nothing began there, its next start is refused. But the report may be from before the start that was granted: then a
    // process runs, or has finished, and a stop would throw that away.
    if (report.state === 'accepted') return { kind: 'unleased', ref };
    if (!mayHold(worker, job)) return turnAway(draft, job, ref);
    return reclaim(draft, worker, job, attempt, report);
  }
  // Its end was accepted and the answer lost: it will be accepted again, as a repetition.
  if (report.state === 'exited' && isReported(attempt)) return { kind: 'reportEnd', ref };
  return { kind: 'stop', ref, reason: 'superseded' };
}

/** People want nothing there any more: the job waits for another worker, and nothing of this process can come back. */
function turnAway(draft: Draft, job: JobFacts, ref: AttemptRef): Verdict {
  draft.putJob({ ...job, epoch: job.epoch + 1 });
  return { kind: 'stop', ref, reason: 'superseded' };
}

/** Its end came from the agent itself. */
export function isReported(attempt: Pick<AttemptFacts, 'outcome'>): boolean {
  return attempt.outcome !== null && !['lost', 'refused', 'superseded'].includes(attempt.outcome);
}

function refOf(report: AttemptRef): AttemptRef {
  return { attemptId: report.attemptId, epoch: report.epoch };
}
