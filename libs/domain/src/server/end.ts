/** An agent says how an attempt ended. At most one end of a job is ever accepted. */
import type { EndAck } from '@muster/protocol';
import { isStarted } from '../attempt-lifecycle.js';
import type { AttemptFacts, JobFacts, WorkerFacts } from '../facts.js';
import { failureReason, withoutLoss } from '../retry.js';
import type { EndCommand } from './commands.js';
import type { ServerReplies } from './decision.js';
import { doubt } from './doubt.js';
import type { Draft } from './draft.js';
import { endAttempt, finishJob, requeueJob, retryOrFail, returnOffer } from './endings.js';
import { withhold } from './held.js';
import { mustLeave } from './maintenance.js';
import { mayReturn } from './reclaim.js';
import { senderOf } from './sender.js';
import { termOf } from './term.js';
import { isAbsence, isWitness } from './witness.js';

export function onEnd(draft: Draft, command: EndCommand): ServerReplies['end'] {
  const sender = senderOf(draft, command);
  if ('refused' in sender) return sender.refused;
  const term = termOf(draft, sender.worker, command);
  if (term === undefined) return { kind: 'superseded' };
  const { job, attempt } = term;
  if (isAbsence(command) && !isWitness(job, attempt, command.session)) return leaveToItsLease(draft, sender.worker, job, attempt);
  if (isStarted(attempt)) return accept(draft, sender.worker, job, attempt, command);
  if (attempt.state === 'offered') return endOffer(draft, job, attempt, command);
  if (attempt.outcome === command.outcome || attempt.outcome === outcomeOf(sender.worker, job, command)) return { kind: 'repeated' };
  if (!mayReturn(job, attempt)) return { kind: 'superseded' };
  draft.say(attempt, `Worker ${sender.worker.name} is back and reports how the attempt ended: ${command.outcome}.`);
  return accept(draft, sender.worker, { ...job, ...withoutLoss(job, 'forgotten') }, attempt, command);
}

/** Its process may be alive on the machine of which this is a copy; the end of the lease says when it is dead. */
function leaveToItsLease(draft: Draft, worker: WorkerFacts, job: JobFacts, attempt: AttemptFacts): EndAck {
  if (isStarted(attempt)) doubt(draft, worker, job, attempt);
  return { kind: 'superseded' };
}

/**
 * Before its start was granted there is nothing that could have ended. An agent that says so all the same has made sure that
 * the attempt never runs there, and forgets it: the offer is over, or it would be made again to one that no longer knows what
 * it said, and a copy of this message that comes late would end what runs by then.
 */
function endOffer(draft: Draft, job: JobFacts, attempt: AttemptFacts, command: EndCommand): EndAck {
  if (command.outcome !== 'refused') return { kind: 'superseded' };
  returnOffer(draft, job, attempt, `worker ${draft.workerName(attempt.workerId)} gave it back: ${command.detail ?? 'it never began'}`);
  return { kind: 'accepted' };
}

function accept(draft: Draft, worker: WorkerFacts, job: JobFacts, attempt: AttemptFacts, command: EndCommand): EndAck {
  if (command.outcome === 'unkillable') withhold(draft, worker, attempt.gpus);
  const outcome = outcomeOf(worker, job, command);
  const ended = endAttempt(draft, attempt, {
    outcome,
    detail: command.detail,
    exit: command.exit,
    usage: command.usage,
    containment: command.containment,
    leftovers: command.leftovers,
    proofs: command.logs,
  });
  follow(draft, job, ended, { ...command, outcome });
  return { kind: 'accepted' };
}

/**
 * An agent that knows only of stops that people want of a job takes one that a drain wants for such a stop. Nobody cancelled it,
 * and that stays so when the drain has been taken back by now; a wish to cancel is never taken back. Where `cancelled` may be the
 * wish of users in a system of their own, only a stop that is ordered at this moment says that it is not.
 */
function outcomeOf(worker: WorkerFacts, job: JobFacts, { outcome, isUsersWord }: EndCommand): EndCommand['outcome'] {
  if (outcome !== 'cancelled' || job.desired === 'cancel') return outcome;
  return isUsersWord === true && !mustLeave(worker, job) ? 'cancelled' : 'stopped';
}

/** What the job does once its attempt has ended like this. */
function follow(draft: Draft, job: JobFacts, attempt: AttemptFacts, command: EndCommand): void {
  const { outcome, exit, detail } = command;
  const actor = `worker ${draft.workerName(attempt.workerId)}`;
  if (outcome === 'succeeded') {
    // Also with a cancel on its way: it came first.
    if (command.result !== undefined) draft.storeResult(job.id, command.result);
    finishJob(draft, job, { status: 'completed', reason: 'succeeded', detail, exit, actor });
  } else if (outcome === 'unkillable') {
    // Nobody may believe that its processes are gone, whatever was wished for.
    finishJob(draft, job, { status: 'failed', reason: 'unkillable', detail, exit, actor });
  } else if (job.desired === 'cancel' || outcome === 'cancelled') {
    finishJob(draft, job, { status: 'cancelled', reason: 'cancelledByUser', detail, exit, actor });
  } else if (outcome === 'checkpointed') {
    draft.putJob({ ...job, status: 'paused', reason: 'checkpointed', reasonDetail: detail, currentAttemptId: null });
  } else if (outcome === 'lost') {
    // Told by the agent itself, so its process is gone for certain: burn the epoch, nothing of it can come back.
    const cause = { kind: 'lost', wasRunning: true } as const;
    retryOrFail(draft, { ...job, epoch: job.epoch + 1 }, attempt, cause, { detail, exit });
  } else if (outcome === 'stopped') {
    retryOrFail(draft, job, attempt, { kind: 'stopped' }, { detail, exit });
  } else if (outcome === 'refused' || outcome === 'superseded') {
    requeueJob(draft, job, { reason: 'waiting', detail, actor });
  } else {
    retryOrFail(draft, job, attempt, { kind: 'failure', outcome, exit }, { detail: detail ?? failureReason(outcome, exit), exit });
  }
}
