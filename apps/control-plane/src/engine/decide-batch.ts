import {
  SliceInProgress, serverStep, type Notice, type ReplyOf, type ServerCommand, type ServerContext, type ServerDecision, type Slice,
} from '@muster/domain';
import type { Transaction } from '../database/connection-pool.js';
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
 * sends what changed. All in the transaction it is given, which stores it, or fails when a guard does: nobody may hear of
 * the decisions before it has committed.
 */
export async function decideBatch(transaction: Transaction, commands: readonly ServerCommand[], contextFor: ContextFor): Promise<DecidedBatch> {
  const { slice: loaded, nowMs } = await loadSlice(transaction, commands);
  const decisions: ServerDecision<Reply>[] = [];
  const slice = new SliceInProgress(loaded);
  for (const command of commands) {
    const decision = serverStep(slice, command, contextFor(command, nowMs));
    slice.apply(decision);
    decisions.push(decision);
  }
  storeSlice(transaction, { loaded, decided: slice, decisions, nowMs });
  return {
    replies: decisions.map((decision) => decision.reply),
    notices: decisions.flatMap((decision) => decision.notices),
    slice,
  };
}
