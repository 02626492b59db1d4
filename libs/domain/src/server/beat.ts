/** Proof of life: renews what it lists, and is answered with what the server wants. */
import type { BeatCommand } from './commands.js';
import type { ServerReplies } from './decision.js';
import { keepDoubt } from './doubt.js';
import type { Draft } from './draft.js';
import { heldGpus, usableSlots } from './held.js';
import { laterMs } from './lease.js';
import { senderOf } from './sender.js';
import { namedBy } from './term.js';
import { judge } from './verdict.js';

export function onBeat(draft: Draft, command: BeatCommand): ServerReplies['beat'] {
  const sender = senderOf(draft, command);
  if ('refused' in sender) return sender.refused;
  const verdicts = command.executions.map((report) => judge(draft, sender.worker, report, command.isEcho));
  const told = { ...command, verdicts };
  const { slotsUsable, gpusHeld, isPaused } = command.isPartial === true ? sender.worker : {
    slotsUsable: usableSlots(draft, sender.worker, told),
    gpusHeld: heldGpus(draft, sender.worker, told),
    isPaused: command.isPaused,
  };
  if (sender.worker.link !== 'connected') keepDoubt(draft, sender.worker, namedBy(draft, sender.worker, command.executions), false);
  if (sender.worker.link !== 'connected') draft.workerEvent('worker.connected', sender.worker.id, { session: sender.worker.session });
  const isRoomier = sender.worker.slotsUsable < slotsUsable || sender.worker.gpusHeld.some((index) => !gpusHeld.includes(index));
  if (isRoomier || (sender.worker.isPaused && !isPaused)) draft.notify({ kind: 'wakeDispatch' });
  draft.putWorker({ ...sender.worker, slotsUsable, gpusHeld, isPaused, link: 'connected', lastBeatMs: laterMs(sender.worker.lastBeatMs, draft.context.nowMs) });
  return { kind: 'beat', slots: sender.worker.slots, verdicts };
}
