/** What must be true of the rows after every transaction, whatever it was. */
import { isFinalJob, isLive, isStarted, mayAttemptMove, mayJobMove } from '@muster/domain';
import type { AttemptFacts, JobFacts, ServerDecision } from '@muster/domain';
import type { AttemptId, JobId, WorkerId } from '@muster/protocol';
import type { Tables } from '../world/tables.js';
import { Violation } from './violation.js';

export interface Before {
  readonly jobs: ReadonlyMap<JobId, JobFacts>;
  readonly attempts: ReadonlyMap<AttemptId, AttemptFacts>;
}

/** Losses while it was running there that end a job. */
const POISON_LOSSES = 3;

/** Checks one transaction: the rows it changed against the rows as they were, and what the database's constraints say. */
export function checkTransaction(before: Before, after: Tables, decision: ServerDecision, nowMs: number): void {
  for (const job of decision.jobs) checkJob(before.jobs.get(job.id), job, after);
  for (const attempt of decision.attempts) {
    checkAttempt(before.attempts.get(attempt.id), attempt, after, nowMs);
    if (attempt.state === 'offered' && !before.attempts.has(attempt.id)) checkOffer(attempt, after);
  }
  const workerIds = new Set(decision.attempts.map((attempt) => attempt.workerId));
  for (const workerId of workerIds) {
    // People may give it fewer slots than it holds attempts; nothing is added while that is so.
    const isNew = decision.attempts.some((attempt) => attempt.workerId === workerId && !before.attempts.has(attempt.id));
    checkWorker(workerId, after, isNew);
  }
}

/** I5: never more than its slots, and no GPU twice. I17: what is drained stays empty. */
function checkWorker(workerId: WorkerId, after: Tables, isNew: boolean): void {
  const worker = after.workers.get(workerId);
  const live = after.liveOf(workerId);
  const isDrained = worker?.maintenance?.kind === 'drain' && worker.maintenance.drainedMs !== null;
  if (isDrained && live.length > 0) throw new Violation('I17 orders hold', `${workerId} was drained, and holds ${live.length}`);
  if (worker !== undefined && isNew && live.length > worker.slots) {
    throw new Violation('I5 capacity', `${live.length} live attempts on ${worker.name} with ${worker.slots} slots`);
  }
  const gpus = live.flatMap((attempt) => attempt.gpus);
  if (new Set(gpus).size < gpus.length) throw new Violation('I5 one GPU, one attempt', `${workerId}: ${gpus.join(' ')}`);
}

/** What an agent said is held is offered to nobody, and nothing to who is to get nothing. */
function checkOffer(attempt: AttemptFacts, after: Tables): void {
  const worker = after.workers.get(attempt.workerId);
  if (worker?.maintenance != null || worker?.isRemoved === true) throw new Violation('I17 orders hold', `${attempt.id} was offered to ${attempt.workerId}`);
  const held = worker?.gpusHeld.filter((index) => attempt.gpus.includes(index)) ?? [];
  if (held.length > 0) throw new Violation('I12 no GPU that is held is offered', `${attempt.id}: GPU ${held.join(', ')} of ${attempt.workerId}`);
}

function checkJob(before: JobFacts | undefined, job: JobFacts, after: Tables): void {
  if (before === undefined) return;
  if (before.status !== job.status && !mayJobMove(before.status, job.status)) {
    throw new Violation(isFinalJob(before.status) ? 'I7 final' : 'transition', `${job.id} ${before.status} -> ${job.status}`);
  }
  if (isFinalJob(before.status) && before !== job) throw new Violation('I7 final', `${job.id} changed after it was ${before.status}`);
  if (job.epoch < before.epoch) throw new Violation('I3 epoch', `${job.id} went from ${before.epoch} to ${job.epoch}`);
  if (before.desired === 'cancel' && job.desired !== 'cancel') throw new Violation('a cancel stays', job.id);
  if (before.force && !job.force) throw new Violation('a force stays', job.id);
  const current = job.currentAttemptId === null ? undefined : after.attempts.get(job.currentAttemptId);
  const isHeld = job.status === 'assigned' || job.status === 'running';
  if (isHeld !== (current !== undefined) && job.status !== 'paused') throw new Violation('held iff active', `${job.id} is ${job.status} with ${job.currentAttemptId}`);
  if (current !== undefined && (!isLive(current) || current.epoch !== job.epoch)) {
    throw new Violation('I3 epoch', `${job.id} epoch ${job.epoch} is held by ${current.id} ${current.state} epoch ${current.epoch}`);
  }
  if (current === undefined && after.attemptsOf(job.id).some(isLive)) throw new Violation('I1 one live lease', `${job.id} holds none, and has one`);
  if (job.desired === 'pause' && job.currentAttemptId === null && job.finishedMs === null && job.status !== 'paused') {
    throw new Violation('wanted paused, held paused', `${job.id} is ${job.status}`);
  }
  if (job.status === 'assigned' && before.status !== 'assigned' && job.desired !== 'run') throw new Violation('only what shall run is offered', job.id);
  if ((job.finishedMs !== null) !== isFinalJob(job.status)) throw new Violation('finished iff final', job.id);
  checkTries(job);
}

/** The budgets of the retry policy, counted by what was spent. */
function checkTries(job: JobFacts): void {
  const { retry } = job.spec;
  if (job.failures > retry.onFailure + 1) throw new Violation('retry budget', `${job.id} failed ${job.failures} times of ${retry.onFailure + 1}`);
  if (job.losses > retry.onWorkerLost + 1) throw new Violation('retry budget', `${job.id} was lost ${job.losses} times of ${retry.onWorkerLost + 1}`);
  if (job.lossesWhileRunning >= POISON_LOSSES && !isFinalJob(job.status)) throw new Violation('poison job', `${job.id} was lost ${job.lossesWhileRunning} times while it ran`);
  if (job.lossesWhileRunning > job.losses) throw new Violation('retry budget', `${job.id} has more losses while running than losses`);
}

function checkAttempt(before: AttemptFacts | undefined, attempt: AttemptFacts, after: Tables, nowMs: number): void {
  const isMove = before?.state !== attempt.state || (before.state === 'ended' && before !== attempt);
  if (isMove && !mayAttemptMove(before?.state ?? 'new', attempt.state)) {
    throw new Violation('transition', `${attempt.id} ${before?.state ?? 'new'} -> ${attempt.state}`);
  }
  if (before !== undefined) checkChange(before, attempt, nowMs);
  if (before?.state === 'offered' && isStarted(attempt) && after.workers.get(attempt.workerId)?.maintenance != null) throw new Violation('I17 orders hold', `${attempt.id} was started`);
  const siblings = after.attemptsOf(attempt.jobId).filter((one) => one.id !== attempt.id);
  if (isLive(attempt) && siblings.some(isLive)) throw new Violation('I1 one live lease', attempt.jobId);
  if (siblings.some((one) => one.epoch === attempt.epoch || one.number === attempt.number)) {
    throw new Violation('unique epoch and number', `${attempt.id} shares epoch ${attempt.epoch} or number ${attempt.number}`);
  }
  if (before === undefined && siblings.some((one) => one.epoch > attempt.epoch || one.number > attempt.number)) {
    throw new Violation('I3 epoch', `${attempt.id} is newer than one with a higher epoch or number`);
  }
  if (before?.state === 'ended' && siblings.some((one) => one.number > attempt.number)) throw new Violation('I3 only the newest may return', attempt.id);
  if (before === undefined && attempt.logId !== attempt.id && siblings.at(-1)?.logId !== attempt.logId) throw new Violation('I3 only the newest may return', attempt.logId);
  if (attempt.outcome === 'succeeded' && siblings.some((one) => one.outcome === 'succeeded')) throw new Violation('I2 one completion', attempt.jobId);
  if ((attempt.state === 'ended') !== (attempt.outcome !== null) || (attempt.state === 'ended' && attempt.leaseUntilMs !== null)) {
    throw new Violation('ended iff outcome', attempt.id);
  }
}

function checkChange(before: AttemptFacts, attempt: AttemptFacts, nowMs: number): void {
  if (before.epoch !== attempt.epoch || before.workerId !== attempt.workerId || before.logId !== attempt.logId || before.jobId !== attempt.jobId) {
    throw new Violation('identity', `${attempt.id} changed its epoch, worker, job or log`);
  }
  if (!isLive(before) || !isStarted(attempt) || before.leaseUntilMs === null) return;
  if (attempt.leaseUntilMs !== before.leaseUntilMs && before.leaseUntilMs <= nowMs) throw new Violation('a lease that is over stays over', attempt.id);
}
