import type { ServerCommand, ServerContext } from './server/commands.js';
import type { ReplyOf, ServerDecision } from './server/decision.js';
import type { Slice } from './slice.js';

/**
 * Decides one command from the locked rows it is about. Pure: same slice, command and context, same decision. Whatever
 * the command claims, the decision keeps every row legal (`JOB_TRANSITIONS`, `ATTEMPT_TRANSITIONS`).
 */
export function serverStep<Command extends ServerCommand>(slice: Slice, command: Command, context: ServerContext): ServerDecision<ReplyOf<Command>> {
  throw new Error(`not yet: ${command.type} ${slice.jobs.size} ${context.nowMs}`);
}
