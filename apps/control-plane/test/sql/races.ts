/** Two things done at the same moment on two connections, and the two orders one of which it must have been. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerCommand, ServerContext, Slice } from '@muster/domain';
import type { AttemptId, WorkerId } from '@muster/protocol';
import type { ConnectionPool, Transaction } from '../../src/database/connection-pool.js';
import { LaneBook } from '../../src/dispatch/lane-book.js';
import { takeTurn } from '../../src/dispatch/turn.js';
import { mayBePlain, renewPlain } from '../../src/engine/beats/plain-beats.js';
import { decideBatch } from '../../src/engine/decide-batch.js';
import type { Chance } from './chance.js';
import { Model } from './model.js';
import { REPLICA, aProfile, plainFacts } from './stored-facts.js';

/** A command, or a claim for these workers. */
export type Move = { readonly command: ServerCommand } | { readonly claimFor: readonly WorkerId[] };

export interface Race {
  readonly name: string;
  readonly rows: Slice;
  readonly moves: readonly [Move, Move];
}

export interface Outcome {
  readonly replies: readonly unknown[];
  readonly rows: unknown;
}

export const RACE_MS = 1_700_000_000_000;

/** What belongs to one of the two: a connection, the facts that are no rows, and the ids it may give. */
export function contextOf(side: 0 | 1): ServerContext {
  const newAttemptIds = Array.from({ length: 4 }, (_, index) => `att_new_${side}_${index}` as AttemptId);
  return { nowMs: RACE_MS, workerTimeoutMs: 60_000, beatIntervalMs: 10_000, offerTtlMs: 15_000, newAttemptIds, jitter: 0.5 };
}

/**
 * Does it on PostgreSQL as the engine does, which first tries whether a beat only renews; answers its reply. That asks for no job's
 * lock, so where the order of locks is what is tried every beat is `decided`.
 */
export async function doMove(pool: ConnectionPool, move: Move, side: 0 | 1, chance: Chance, beats: 'renewed' | 'decided' = 'renewed'): Promise<unknown> {
  const mayRenew = beats === 'renewed' && 'command' in move && move.command.type === 'beat' && mayBePlain(move.command);
  const [reply] = mayRenew ? await renewPlain(pool, [move.command], contextOf(side).workerTimeoutMs) : [];
  return reply ?? decideMove(pool, move, side, chance);
}

/** Waits a moment, or not, before each statement, so that rounds differ. */
function decideMove(pool: ConnectionPool, move: Move, side: 0 | 1, chance: Chance): Promise<unknown> {
  const context = contextOf(side);
  return pool.transaction(async (given) => {
    const { transaction, settled } = hesitating(given, chance);
    const answer = await decide(transaction);
    await settled();
    return answer;
  });
  async function decide(transaction: Transaction): Promise<unknown> {
    if ('command' in move) return (await decideBatch(transaction, [move.command], () => context)).replies[0];
    const claimed = await takeTurn(transaction, new LaneBook(), { workerIds: move.claimFor, replicaId: REPLICA, context });
    return claimed?.decision.attempts ?? [];
  }
}

/** Both orders, by the reducers. */
export function serialOutcomes({ rows, moves }: Race): readonly [Outcome, Outcome] {
  const inOrder = (order: readonly (0 | 1)[]): Outcome => {
    const model = new Model(rows);
    const replies: unknown[] = [];
    for (const side of order) replies[side] = replyOf(model, moves[side], side);
    return { replies: JSON.parse(JSON.stringify(replies)) as unknown[], rows: plainFacts(model.slice) };
  };
  return [inOrder([0, 1]), inOrder([1, 0])];
}

function replyOf(model: Model, move: Move, side: 0 | 1): unknown {
  const context = contextOf(side);
  if ('command' in move) return model.decide(move.command, context).reply;
  return model.claim(new Map([...move.claimFor].sort().map((id) => [id, aProfile(id)])), context).attempts;
}

/** The same transaction; its statements keep their order and begin a little later than they could. `settled`: all of them have begun. */
function hesitating(given: Transaction, chance: Chance): { readonly transaction: Transaction; readonly settled: () => Promise<unknown> } {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const done = last.then(async () => {
      const waitMs = chance.pick([0, 0, 0, 1, 2]);
      if (waitMs > 0) await delay(waitMs);
      return run();
    });
    last = done.catch(() => undefined);
    return done;
  };
  const transaction: Transaction = {
    query: (statement, values) => inTurn(() => given.query(statement, values)),
    execute: (statement, values) => inTurn(() => given.execute(statement, values)),
    send: (statement, values) => void inTurn(async () => given.send(statement, values)),
  };
  return { transaction, settled: () => last };
}
