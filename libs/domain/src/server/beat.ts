/** Proof of life: renews what it lists, and is answered with what the server wants. */
import type { Verdict } from '@muster/protocol';
import type { WorkerFacts } from '../facts.js';
import type { BeatCommand } from './commands.js';
import type { ServerReplies } from './decision.js';
import { keepDoubt } from './doubt.js';
import type { Draft } from './draft.js';
import { senderOf } from './sender.js';
import { namedBy } from './term.js';
import { judge } from './verdict.js';

export function onBeat(draft: Draft, command: BeatCommand): ServerReplies['beat'] {
  const sender = senderOf(draft, command);
  if ('refused' in sender) return sender.refused;
  const verdicts = command.executions.map((report) => judge(draft, sender.worker, report));
  const slotsUsable = usableSlots(sender.worker, command, verdicts);
  if (sender.worker.link !== 'connected') keepDoubt(draft, sender.worker, namedBy(draft, sender.worker, command.executions), false);
  if (sender.worker.link !== 'connected') draft.workerEvent('worker.connected', sender.worker.id, { session: sender.worker.session });
  if (sender.worker.slotsUsable < slotsUsable || (sender.worker.isPaused && !command.isPaused)) draft.notify({ kind: 'wakeDispatch' });
  draft.putWorker({ ...sender.worker, slotsUsable, isPaused: command.isPaused, link: 'connected', lastBeatMs: draft.context.nowMs });
  return { kind: 'beat', verdicts };
}

/**
 * Slots less those the agent holds back. Counted from the beat alone, which is consistent in itself: comparing its free
 * slots with our rows would take an offer on its way for a lost slot, or a slot that is held back for a free one.
 */
function usableSlots(worker: WorkerFacts, command: BeatCommand, verdicts: readonly Verdict[]): number {
  const leased = command.executions.filter((execution, index) => {
    const kind = verdicts[index]?.kind;
    return execution.state !== 'exited' && (kind === 'keep' || kind === 'reclaimed');
  });
  return Math.max(0, Math.min(worker.slots, command.slotsFree + leased.length));
}
