import {
  applyDecision, serverStep, type Notice, type ReplyOf, type ServerCommand, type ServerContext, type ServerDecision, type Slice,
} from '@muster/domain';
import type { Connection } from '../database/connection-pool.js';
import { loadSlice } from './load-slice.js';
import { storeSlice } from './store-slice.js';

export type Reply = ReplyOf<ServerCommand>;

export interface DecidedBatch {
  /** One for each command, in their order. */
  readonly replies: Reply[];
  /** To be delivered once the transaction has committed, and not at all if it does not. */
  readonly notices: Notice[];
  /** The rows as they stand after the last command. */
  readonly slice: Slice;
}

/** What a command is decided with beside its rows. `nowMs`: the database's clock as the batch read it. */
export type ContextFor = (command: ServerCommand, nowMs: number) => ServerContext;

/**
 * Loads and locks the rows of all commands, decides one after the other, each seeing what those before it changed, and
 * stores what changed. All in the transaction it is given; throws, storing nothing, when a guard fails.
 */
export async function decideBatch(connection: Connection, commands: readonly ServerCommand[], contextFor: ContextFor): Promise<DecidedBatch> {
  const { slice: loaded, nowMs } = await loadSlice(connection, commands);
  const decisions: ServerDecision<Reply>[] = [];
  let slice = loaded;
  for (const command of commands) {
    const decision = serverStep(slice, command, contextFor(command, nowMs));
    slice = applyDecision(slice, decision);
    decisions.push(decision);
  }
  await storeSlice(connection, { loaded, decided: slice, decisions, nowMs });
  return {
    replies: decisions.map((decision) => decision.reply),
    notices: decisions.flatMap((decision) => decision.notices),
    slice,
  };
}
