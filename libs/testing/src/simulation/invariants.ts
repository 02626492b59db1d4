/** What must be true at every moment. A broken one ends the schedule at once, with its name. */
import { isFinalJob, isLive, mayAttemptMove, mayJobMove } from '@muster/domain';
import type { AttemptFacts, JobFacts, Slice } from '@muster/domain';
import type { JobId } from '@muster/protocol';

export class Violation extends Error {
  constructor(
    readonly invariant: string,
    detail: string,
  ) {
    super(`${invariant}: ${detail}`);
  }
}

type AttemptsOf = (jobId: JobId) => readonly AttemptFacts[];

/** Checks one transaction: the rows it changed against the rows as they were, and what the database's constraints say. */
export function checkTransaction(
  before: Slice,
  after: Slice,
  changed: { readonly jobs: readonly JobFacts[]; readonly attempts: readonly AttemptFacts[] },
  attemptsOf: AttemptsOf,
): void {
  for (const job of changed.jobs) checkJob(before.jobs.get(job.id), job, after);
  for (const attempt of changed.attempts) checkAttempt(before.attempts.get(attempt.id), attempt, attemptsOf);
  for (const workerId of new Set(changed.attempts.map((attempt) => attempt.workerId))) {
    const worker = after.workers.get(workerId);
    let live = 0;
    for (const attempt of after.attempts.values()) if (attempt.workerId === workerId && isLive(attempt)) live += 1;
    if (worker !== undefined && live > worker.slots) throw new Violation('I5 capacity', `${live} live attempts on ${worker.name} with ${worker.slots} slots`);
  }
}

function checkJob(before: JobFacts | undefined, job: JobFacts, after: Slice): void {
  if (before === undefined) return;
  if (before.status !== job.status && !mayJobMove(before.status, job.status)) {
    throw new Violation(isFinalJob(before.status) ? 'I7 final' : 'transition', `${job.id} ${before.status} -> ${job.status}`);
  }
  if (isFinalJob(before.status) && before !== job) throw new Violation('I7 final', `${job.id} changed after it was ${before.status}`);
  if (job.epoch < before.epoch) throw new Violation('I3 epoch', `${job.id} went from ${before.epoch} to ${job.epoch}`);
  const current = job.currentAttemptId === null ? undefined : after.attempts.get(job.currentAttemptId);
  const isHeld = job.status === 'assigned' || job.status === 'running';
  if (isHeld !== (current !== undefined) && job.status !== 'paused') throw new Violation('held iff active', `${job.id} is ${job.status} with ${job.currentAttemptId}`);
  if (current !== undefined && (!isLive(current) || current.epoch !== job.epoch)) {
    throw new Violation('I3 epoch', `${job.id} epoch ${job.epoch} is held by ${current.id} ${current.state} epoch ${current.epoch}`);
  }
  if ((job.finishedMs !== null) !== isFinalJob(job.status)) throw new Violation('finished iff final', job.id);
}

function checkAttempt(before: AttemptFacts | undefined, attempt: AttemptFacts, attemptsOf: AttemptsOf): void {
  const isMove = before?.state !== attempt.state || (before.state === 'ended' && before !== attempt);
  if (isMove && !mayAttemptMove(before?.state ?? 'new', attempt.state)) {
    throw new Violation('transition', `${attempt.id} ${before?.state ?? 'new'} -> ${attempt.state}`);
  }
  if (before !== undefined && (before.epoch !== attempt.epoch || before.workerId !== attempt.workerId || before.logId !== attempt.logId)) {
    throw new Violation('identity', `${attempt.id} changed its epoch, worker or log`);
  }
  const siblings = attemptsOf(attempt.jobId).filter((one) => one.id !== attempt.id);
  if (isLive(attempt) && siblings.some(isLive)) throw new Violation('I1 one live lease', attempt.jobId);
  if (siblings.some((one) => one.epoch === attempt.epoch || one.number === attempt.number)) {
    throw new Violation('unique epoch and number', `${attempt.id} shares epoch ${attempt.epoch} or number ${attempt.number}`);
  }
  const completions = [attempt, ...siblings].filter((one) => one.outcome === 'succeeded');
  if (completions.length > 1) throw new Violation('I2 one completion', attempt.jobId);
  if ((attempt.state === 'ended') !== (attempt.outcome !== null) || (attempt.state === 'ended' && attempt.leaseUntilMs !== null)) {
    throw new Violation('ended iff outcome', attempt.id);
  }
}
