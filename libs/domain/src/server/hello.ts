/** The first message of a connection: who is this, and what does it hold? */
import type { AttemptId } from '@muster/protocol';
import { isStarted } from '../attempt-lifecycle.js';
import type { AttemptFacts, WorkerFacts } from '../facts.js';
import { isOlderInstance } from '../instance.js';
import type { HelloCommand, ServerContext } from './commands.js';
import type { ServerReplies } from './decision.js';
import { keepDoubt } from './doubt.js';
import type { Draft } from './draft.js';
import { loseAttempt, returnOffer } from './endings.js';
import { heldGpus } from './held.js';
import { namedBy } from './term.js';
import { judge } from './verdict.js';

export function onHello(draft: Draft, command: HelloCommand): ServerReplies['hello'] {
  const before = draft.worker(command.workerId);
  // Forgotten between its registration and now: the next hello registers it anew.
  if (before === undefined) return { kind: 'senderRefused', reason: 'notSynced' };
  if (before.isRemoved) return { kind: 'senderRefused', reason: 'removed' };
  if (before.isFenced) return { kind: 'senderRefused', reason: 'keyRevoked' };
  const greeting = greet(before, command, draft.context);
  if (greeting === 'superseded') return { kind: 'senderRefused', reason: 'superseded' };

  const slots = before.slotsOrdered ?? command.slots;
  const worker = draft.putWorker({
    ...before,
    session: greeting.session,
    instanceId: command.instanceId,
    slots,
    slotsSaid: command.slots,
    // Until the first beat says what is held back, and that it has opened what people gave it beyond its own.
    slotsUsable: Math.min(greeting.isNewStart ? command.slots : before.slotsUsable, slots),
    link: 'connected',
    lastBeatMs: draft.context.nowMs,
  });
  if (greeting.isNewStart && before.instanceId !== null) {
    draft.notify({ kind: 'closeSession', workerId: worker.id, session: before.session, reason: 'superseded' });
    draft.workerEvent('worker.superseded', worker.id, { session: before.session });
  }
  if (before.link !== 'connected' || greeting.isNewStart) draft.workerEvent('worker.connected', worker.id, { session: worker.session });

  const verdicts = command.executions.map((report) => judge(draft, worker, report));
  draft.putWorker({ ...worker, gpusHeld: heldGpus(draft, worker, { ...command, verdicts }) });
  const listed = namedBy(draft, worker, command.executions);
  settleUnlisted(draft, worker, listed, greeting.isNewStart);
  if (before.link !== 'connected' || greeting.isNewStart) keepDoubt(draft, worker, listed, greeting.isNewStart);
  draft.notify({ kind: 'wakeDispatch' });
  return { kind: 'synced', session: worker.session, slots, verdicts };
}

/** No hello travels longer than this. */
const LATE_HELLO_MS = 60_000;

type Greeting = { readonly session: number; readonly isNewStart: boolean } | 'superseded';

function greet(worker: WorkerFacts, command: HelloCommand, context: ServerContext): Greeting {
  const isSameStart = worker.instanceId === command.instanceId;
  // The answer to its first hello was lost, or this is the same hello once more.
  if (isSameStart && (command.session === 0 || command.session === worker.session)) return { session: worker.session, isNewStart: false };
  if (command.session === 0) {
    // After a long silence no late hello can be on its way any more: then it is a restored copy of the state directory.
    const isSilent = worker.lastBeatMs === null || context.nowMs - worker.lastBeatMs >= context.workerTimeoutMs + LATE_HELLO_MS;
    const isLate = worker.instanceId !== null && !isSilent && isOlderInstance(command.instanceId, worker.instanceId);
    return isLate ? 'superseded' : { session: worker.session + 1, isNewStart: true };
  }
  // A number we have not given: this database lost its last moments (failover). The agent knows better.
  if (command.session > worker.session) return { session: command.session, isNewStart: false };
  return 'superseded';
}

/**
 * What the server holds for this worker and the agent did not name. A new start read its disk anew: what is not there is
 * gone for good. An old hello of the same start may merely be late, so there the lease decides; and it decides for
 * exclusive jobs, because the newcomer may be a copy of the agent and the process alive on the machine of the original.
 * An offer not yet taken is made again to the same start only: another one may be a copy, and of two agents that have the
 * same attempt on their disks the one could give back what the other has started.
 */
function settleUnlisted(draft: Draft, worker: WorkerFacts, listed: ReadonlySet<AttemptId | undefined>, isNewStart: boolean): void {
  for (const attempt of draft.liveOf(worker.id)) {
    if (listed.has(attempt.id)) continue;
    if (attempt.state === 'offered' && !isNewStart) offerAgain(draft, worker, attempt);
    else if (attempt.state === 'offered') takeBack(draft, worker, attempt);
    else if (isNewStart && isStarted(attempt)) loseUnknown(draft, worker, attempt);
  }
}

function offerAgain(draft: Draft, worker: WorkerFacts, attempt: AttemptFacts): void {
  const isInTime = attempt.leaseUntilMs !== null && attempt.leaseUntilMs > draft.context.nowMs;
  if (isInTime) draft.notify({ kind: 'offer', workerId: worker.id, session: worker.session, attemptId: attempt.id });
}

function takeBack(draft: Draft, worker: WorkerFacts, attempt: AttemptFacts): void {
  const job = draft.job(attempt.jobId);
  if (job !== undefined) returnOffer(draft, job, attempt, `the agent of worker ${worker.name} was started anew and does not know the offer`);
}

function loseUnknown(draft: Draft, worker: WorkerFacts, attempt: AttemptFacts): void {
  const job = draft.job(attempt.jobId);
  if (job === undefined || job.spec.disconnect.exclusive) return;
  loseAttempt(draft, job, attempt, `The agent of worker ${worker.name} was started anew and does not know the attempt`, false);
}
