/** The second half of the two-phase start: only here does an attempt get the right to run. */
import type { StartAck } from '@muster/protocol';
import type { AttemptFacts, JobFacts, WorkerFacts } from '../facts.js';
import type { RefuseCommand, StartCommand } from './commands.js';
import type { ServerReplies } from './decision.js';
import type { Draft } from './draft.js';
import { returnOffer } from './endings.js';
import { isLeaseOver, leaseEndMs, leaseLengthMs } from './lease.js';
import { senderOf } from './sender.js';
import { isWitness } from './witness.js';

export function onStart(draft: Draft, command: StartCommand): ServerReplies['start'] {
  const sender = senderOf(draft, command);
  if ('refused' in sender) return sender.refused;
  const held = heldBy(draft, command);
  if (held === undefined) {
    const attempt = draft.attempt(command.attemptId);
    return no(attempt !== undefined && attempt.outcome === 'cancelled' ? 'cancelled' : 'superseded');
  }
  const { job, attempt } = held;
  // Before all else: told that it was cancelled, a copy would report that nothing ran.
  if (!isWitness(job, attempt, command.session)) return no('superseded');
  if (job.desired === 'cancel') return no('cancelled');
  if (isLeaseOver(attempt, draft.context.nowMs)) return no('expired');

  const lengthMs = leaseLengthMs(job, draft.context);
  const leaseUntilMs = leaseEndMs(lengthMs, draft.context.nowMs);
  if (attempt.state === 'running') {
    // Asked again: the answer was lost, or came too late to be acted upon.
    draft.putAttempt({ ...attempt, leaseUntilMs });
    return { kind: 'go', leaseMs: lengthMs };
  }
  if (attempt.state !== 'offered') return no('superseded');

  const { nowMs } = draft.context;
  draft.putAttempt({ ...attempt, state: 'running', leaseUntilMs, startedMs: nowMs, grantedSession: command.session });
  draft.putJob({ ...job, status: 'running', reason: 'running', reasonDetail: null, startedMs: job.startedMs ?? nowMs });
  draft.jobEvent('job.started', job.id, { attemptId: attempt.id, workerId: attempt.workerId, data: { number: attempt.number } });
  return { kind: 'go', leaseMs: lengthMs };
}

export function onRefuse(draft: Draft, command: RefuseCommand): ServerReplies['refuse'] {
  const sender = senderOf(draft, command);
  if ('refused' in sender) return sender.refused;
  const held = heldBy(draft, command);
  if (held !== undefined && isGivable(held, command)) {
    const detail = `worker ${sender.worker.name} declined: ${command.detail ?? command.reason}`;
    returnOffer(draft, held.job, held.attempt, detail);
    believe(draft, sender.worker, command);
  }
  return { kind: 'done' };
}

/** Not begun yet, or granted to this very start of the agent, which has no process of it and knows that nobody else has. */
function isGivable({ job, attempt }: Held, { session }: RefuseCommand): boolean {
  return attempt.state === 'offered' || (attempt.state === 'running' && isWitness(job, attempt, session));
}

/** What the refusal says about the worker holds until its next beat; else the same offer would come straight back. */
function believe(draft: Draft, worker: WorkerFacts, command: RefuseCommand): void {
  if (command.reason === 'noSlot') {
    draft.putWorker({ ...worker, slotsUsable: Math.min(worker.slotsUsable, draft.liveOf(worker.id).length) });
  } else if (command.reason === 'draining' || command.reason === 'agentStopping' || command.reason === 'diskFloor') {
    draft.putWorker({ ...worker, isPaused: true });
  }
}

interface Held {
  readonly job: JobFacts;
  readonly attempt: AttemptFacts;
}

/** The attempt and its job, if the sender holds them in exactly this term. */
function heldBy(draft: Draft, command: Pick<StartCommand, 'workerId' | 'attemptId' | 'epoch'>): Held | undefined {
  const attempt = draft.attempt(command.attemptId);
  const job = attempt === undefined ? undefined : draft.job(attempt.jobId);
  if (attempt === undefined || job === undefined) return undefined;
  const isHeld =
    attempt.workerId === command.workerId && attempt.epoch === command.epoch && attempt.state !== 'ended' &&
    job.epoch === command.epoch && job.currentAttemptId === attempt.id;
  return isHeld ? { job, attempt } : undefined;
}

function no(reason: Extract<StartAck, { kind: 'no' }>['reason']): StartAck {
  return { kind: 'no', reason };
}
