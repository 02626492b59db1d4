/** What becomes of the executions that a hello or a beat names, as docs/protocol.md tells it. */
import type { AttemptCommand, AttemptId, ExecutionState, Verdict } from '@muster/protocol';
import { mayHoldNothing, mustLeave } from './drains.js';
import type { Model } from './model.js';
import { mayGoOn } from './room.js';
import { expire, isLeaseOver, leaseFrom, leaseMsOf, mayReturn, takeBackLoss } from './rules.js';
import { isAlive, isLive, isStarted, isWitness, type Attempt, type Execution, type Worker } from './state.js';

export function judge(model: Model, worker: Worker, execution: Execution): Verdict {
  const ref = { attemptId: execution.attemptId, epoch: execution.epoch };
  const attempt = model.termOf(worker, ref.attemptId, ref.epoch);
  if (!attempt) return { kind: 'stop', ref, reason: 'unknown' };
  if (isStarted(attempt) && isLeaseOver(attempt, model.now)) expire(attempt);
  if (!isLive(attempt)) return judgeEnded(model, attempt, execution);
  if (attempt.state === 'offered') {
    return { kind: 'keep', ref, leaseMs: Math.max(0, ((attempt.leaseUntil ?? 0) - model.now) * 1_000), command: null };
  }
  if (!isWitness(attempt, worker) && !isAlive(execution)) return judgeAbsence(attempt, execution);
  return renew(model, worker, attempt, execution);
}

/** What was written down when it ended may be told; that nothing began is not believed, and renews nothing. */
function judgeAbsence(attempt: Attempt, { attemptId, epoch, state }: Execution): Verdict {
  const ref = { attemptId, epoch };
  if (state === 'exited') return { kind: 'reportEnd', ref };
  attempt.isDoubted = true;
  return { kind: 'unleased', ref };
}

function renew(model: Model, worker: Worker, attempt: Attempt, execution: Execution): Verdict {
  const { job } = attempt;
  const ref = { attemptId: execution.attemptId, epoch: execution.epoch };
  const states: Record<ExecutionState, Attempt['state']> = { accepted: 'running', running: 'running', paused: 'paused', exited: 'finalizing' };
  if (attempt.state !== 'finalizing') attempt.state = states[execution.state];
  if (attempt.state === 'running' || attempt.state === 'paused') job.status = attempt.state;
  attempt.leaseUntil = leaseFrom(job, model.now);
  attempt.isDoubted = false;
  if (isAlive(execution)) attempt.grantedTo = worker.starts;
  const leaseMs = leaseMsOf(job);
  if (attempt.id !== ref.attemptId) return { kind: 'reclaimed', ref, attempt: { attemptId: attempt.id, epoch: attempt.epoch }, leaseMs };
  return { kind: 'keep', ref, leaseMs, command: execution.state === 'exited' ? null : orderFor(attempt, execution.state) };
}

function judgeEnded(model: Model, attempt: Attempt, execution: Execution): Verdict {
  const ref = { attemptId: execution.attemptId, epoch: execution.epoch };
  const wasTold = attempt.outcome !== 'lost' && attempt.outcome !== 'refused' && attempt.outcome !== 'superseded';
  if (execution.state === 'exited' && (mayReturn(attempt) || wasTold)) return { kind: 'reportEnd', ref };
  if (!mayReturn(attempt)) return { kind: 'stop', ref, reason: 'superseded' };
  if (execution.state === 'accepted') return { kind: 'unleased', ref };
  if (mayHoldNothing(attempt.worker)) {
    attempt.job.epoch += 1;
    return { kind: 'stop', ref, reason: 'superseded' };
  }
  return reclaim(model, attempt, execution);
}

/** The id of the new attempt is the control plane's to choose: it is read from the answer afterwards (`agree`). */
function reclaim(model: Model, lost: Attempt, execution: Execution): Verdict {
  const { job } = lost;
  const ref = { attemptId: execution.attemptId, epoch: execution.epoch };
  if (job.policy === 'exclusive' || !mayGoOn(model, lost)) return { kind: 'unleased', ref };
  takeBackLoss(job, true);
  job.epoch += 1;
  const id = `att_reclaimed_${job.id}_${job.epoch}` as AttemptId;
  const attempt: Attempt = {
    ...lost, id, number: job.attempts.length + 1, epoch: job.epoch, state: execution.state === 'paused' ? 'paused' : 'running', outcome: null,
    exitCode: null, leaseUntil: leaseFrom(job, model.now), isDoubted: false, grantedTo: lost.worker.starts,
  };
  job.attempts.push(attempt);
  Object.assign(job, { status: attempt.state, reason: null, current: attempt, backoffUntil: null });
  return { kind: 'reclaimed', ref, attempt: { attemptId: id, epoch: job.epoch }, leaseMs: leaseMsOf(job) };
}

/** What a beat is told that people want of a process in this state. */
function orderFor({ job, worker }: Attempt, state: ExecutionState): AttemptCommand | null {
  const graceSeconds = 10;
  if (job.desired === 'cancel') return { kind: job.isForced ? 'forceStop' : 'stop', graceSeconds, reason: 'cancelled' };
  if (mustLeave(worker)) return { kind: 'stop', graceSeconds, reason: 'cancelled', isPlanned: true };
  if (job.desired === 'pause' && state !== 'paused') return { kind: 'freeze', graceSeconds, reason: 'paused' };
  return job.desired === 'run' && state === 'paused' ? { kind: 'thaw', graceSeconds, reason: 'resumed' } : null;
}
