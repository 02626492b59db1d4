/** Whether a message comes from the agent that is this worker now. */
import type { WorkerId } from '@muster/protocol';
import type { WorkerFacts } from '../facts.js';
import type { SenderRefused } from './decision.js';
import type { Draft } from './draft.js';

export type Sender = { readonly worker: WorkerFacts } | { readonly refused: SenderRefused };

/** Every message but hello carries the session the server gave; any other session is an agent that was superseded. */
export function senderOf(draft: Draft, message: { readonly workerId: WorkerId; readonly session: number }): Sender {
  const worker = draft.worker(message.workerId);
  if (worker === undefined || worker.isRemoved) return { refused: { kind: 'senderRefused', reason: 'removed' } };
  if (worker.session !== message.session) return { refused: { kind: 'senderRefused', reason: 'superseded' } };
  return { worker };
}
