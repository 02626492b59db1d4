/** Whether a message comes from the agent that is this worker now. */
import type { WorkerId } from '@muster/protocol';
import type { WorkerFacts } from '../facts.js';
import type { SenderRefused } from './decision.js';
import type { Draft } from './draft.js';

export type Sender = { readonly worker: WorkerFacts } | { readonly refused: SenderRefused };

/**
 * Every message but hello carries the session the server gave; an older one than the worker's is an agent that was
 * superseded. A worker or a session that this database does not know it has forgotten (failover): the agent is asked for
 * a hello, by which they are known again, and nobody is sent home.
 */
export function senderOf(draft: Draft, message: { readonly workerId: WorkerId; readonly session: number }): Sender {
  const worker = draft.worker(message.workerId);
  if (worker === undefined) return refusal('notSynced');
  if (worker.isRemoved) return refusal('removed');
  if (worker.isFenced) return refusal('keyRevoked');
  if (message.session > worker.session) return refusal('notSynced');
  if (worker.session !== message.session) return refusal('superseded');
  return { worker };
}

function refusal(reason: SenderRefused['reason']): Sender {
  return { refused: { kind: 'senderRefused', reason } };
}
