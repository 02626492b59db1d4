import { onBeat } from './server/beat.js';
import type { ServerCommand, ServerContext } from './server/commands.js';
import type { ReplyOf, ServerDecision, ServerReplies } from './server/decision.js';
import { Draft } from './server/draft.js';
import { onSweepDrain } from './server/drains.js';
import { onEnd } from './server/end.js';
import { onHello } from './server/hello.js';
import { onPause, onResume } from './server/pause.js';
import { onAbandon, onCancel, onRequeue } from './server/people.js';
import { onRemoveWorker } from './server/removal.js';
import { onRefuse, onStart } from './server/start.js';
import { onSweepAttempt, onSweepQueued, onWorkerLink } from './server/sweep.js';
import { onCordon, onDrain, onSetSlots, onUndrain } from './server/worker-orders.js';
import type { Slice } from './slice.js';

/**
 * Decides one command from the locked rows it is about. Pure: same slice, command and context, same decision. Whatever
 * the command claims, the decision keeps every row legal (`JOB_TRANSITIONS`, `ATTEMPT_TRANSITIONS`); one that would not
 * is a bug of ours and throws.
 */
export function serverStep<Command extends ServerCommand>(slice: Slice, command: Command, context: ServerContext): ServerDecision<ReplyOf<Command>> {
  const draft = new Draft(slice, context);
  const reply = handle(draft, command) as ReplyOf<Command>;
  return draft.decide(reply);
}

function handle(draft: Draft, command: ServerCommand): ServerReplies[ServerCommand['type']] {
  switch (command.type) {
    case 'hello':
      return onHello(draft, command);
    case 'beat':
      return onBeat(draft, command);
    case 'start':
      return onStart(draft, command);
    case 'refuse':
      return onRefuse(draft, command);
    case 'end':
      return onEnd(draft, command);
    case 'cancel':
      return onCancel(draft, command);
    case 'pause':
      return onPause(draft, command);
    case 'resume':
      return onResume(draft, command);
    case 'requeue':
      return onRequeue(draft, command);
    case 'abandon':
      return onAbandon(draft, command);
    case 'cordon':
      return onCordon(draft, command);
    case 'drain':
      return onDrain(draft, command);
    case 'undrain':
      return onUndrain(draft, command);
    case 'setSlots':
      return onSetSlots(draft, command);
    case 'removeWorker':
      return onRemoveWorker(draft, command);
    case 'sweepDrain':
      return onSweepDrain(draft, command);
    case 'sweepAttempt':
      return onSweepAttempt(draft, command);
    case 'sweepQueued':
      return onSweepQueued(draft, command);
    case 'workerLink':
      return onWorkerLink(draft, command);
  }
}
