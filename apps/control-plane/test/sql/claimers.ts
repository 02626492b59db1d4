/** Many claimers at once, each on a connection of its own, and everything that is watched while they claim. */
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkerId } from '@muster/protocol';
import type { Transaction } from '../../src/database/connection-pool.js';
import { ConnectionPool } from '../../src/database/connection-pool.js';
import { sql } from '../../src/database/sql.js';
import { CLAIM_HEADS } from '../../src/dispatch/dispatch.sql.js';
import { LaneBook } from '../../src/dispatch/lane-book.js';
import { takeTurn } from '../../src/dispatch/turn.js';
import { log } from '../control-plane-harness.js';

const WORKER_IDS = sql`select id from worker where replica_id = $1 order by id`;
const FULLEST = sql`
  select worker.id, count(*) as live, worker.slots
  from worker
  join attempt on attempt.worker_id = worker.id
  where worker.id = any($1::text[])
    and attempt.state <> 'ended'
  group by worker.id
  having count(*) > worker.slots
`;
const TURN_OFF = sql`select set_config($1, 'off', false)`;
/** What ran is over: slots become free, as they do when agents report ends. */
const FINISH = sql`
  with mine as (
    select id from worker where replica_id = $1 order by id collate "C" for no key update
  ), jobs as (
    update job
    set status = 'completed', reason = 'succeeded', current_attempt_id = null, finished_at = now()
    where id in (select job_id from attempt where worker_id in (select id from mine) and state <> 'ended')
    returning id
  )
  update attempt
  set state = 'ended', outcome = 'succeeded', ended_at = now(), lease_until = null
  where job_id in (select id from jobs)
    and state <> 'ended'
`;

/** Rows that a claim asked for, and rows that it got. */
export interface Look {
  readonly asked: number;
  readonly got: number;
}

/** Claims that got more than they asked for. */
export function overClaims(looks: readonly Look[]): Look[] {
  return looks.filter(({ asked, got }) => got > asked);
}

export interface Watched {
  readonly looks: Look[];
  /** Workers that held more than they have slots, seen under their own locks. */
  readonly overfull: unknown[];
  turns: number;
  /** Turns that granted nothing because others held every head. */
  empty: number;
  readonly granted: string[];
}

interface Claimers {
  readonly url: string;
  /** Two claimers compete for the workers of each. */
  readonly replicaIds: readonly string[];
  readonly jobCount: number;
  /** As the product's lanes are: no plan with hash or merge joins, no scan of whole tables. */
  readonly isLane: boolean;
  /** Settings of PostgreSQL turned off for the claimers. */
  readonly off: readonly string[];
}

interface Connected {
  readonly pool: ConnectionPool;
  /** Ends attempts: the settings do not concern it. */
  readonly ends: ConnectionPool;
  readonly replicaId: string;
  readonly workerIds: readonly WorkerId[];
}

async function connected({ url, isLane, off }: Pick<Claimers, 'url' | 'isLane' | 'off'>, replicaId: string): Promise<Connected> {
  const pool = new ConnectionPool({ url, name: 'claimer', size: 1, synchronousCommit: true, isLane }, log);
  const ends = new ConnectionPool({ url, name: 'claimer ends', size: 1, synchronousCommit: true, isLane: false }, log);
  for (const setting of off) await pool.query(TURN_OFF, [setting]);
  const workerIds = (await ends.query<{ id: WorkerId }>(WORKER_IDS, [replicaId])).map((row) => row.id);
  return { pool, ends, replicaId, workerIds };
}

/** Claims until every job was granted. Each claimer ends what its replica holds after each turn, so that slots are short all along. */
export async function claimAll({ url, replicaIds, jobCount, isLane, off }: Claimers): Promise<Watched> {
  const watched: Watched = { looks: [], overfull: [], turns: 0, empty: 0, granted: [] };
  const claimer = async ({ pool, ends, replicaId, workerIds }: Connected): Promise<void> => {
    const book = new LaneBook();
    while (watched.granted.length < jobCount) {
      if (await turn(pool, book, { workerIds, replicaId }, watched)) await ends.execute(FINISH, [replicaId]);
      else await delay(1);
    }
  };
  // All of them before the first claims: who connects while fifteen others are at work waits too long on a slow machine.
  const all: Connected[] = [];
  try {
    for (const replicaId of [...replicaIds, ...replicaIds]) all.push(await connected({ url, isLane, off }, replicaId));
    await Promise.all(all.map(claimer));
  } finally {
    await Promise.all(all.flatMap(({ pool, ends }) => [pool.end(), ends.end()]));
  }
  return watched;
}

/** True when it granted something. */
async function turn(pool: ConnectionPool, book: LaneBook, at: { workerIds: readonly WorkerId[]; replicaId: string }, watched: Watched): Promise<boolean> {
  const context = { workerTimeoutMs: 60_000, beatIntervalMs: 10_000, offerTtlMs: 600_000 };
  const granted = await pool.transaction(async (connection) => {
    const claimed = await takeTurn(watchHeads(connection, watched.looks), book, { ...at, context });
    watched.overfull.push(...(await connection.query(FULLEST, [at.workerIds])));
    return claimed?.decision.attempts.map((attempt) => attempt.jobId) ?? [];
  });
  watched.granted.push(...granted);
  watched.turns += 1;
  if (granted.length === 0) watched.empty += 1;
  return granted.length > 0;
}

/** The same connection; notes how many heads each claim asked for and got. */
function watchHeads(connection: Transaction, looks: Look[]): Transaction {
  return {
    execute: (statement, values) => connection.execute(statement, values),
    send: (statement, values) => connection.send(statement, values),
    query: async <Row>(statement: Parameters<Transaction['query']>[0], values?: readonly unknown[]): Promise<Row[]> => {
      const rows = await connection.query<Row>(statement, values);
      if (statement.name === CLAIM_HEADS.name) {
        const asked = (values?.[1] as readonly number[]).reduce((sum, count) => sum + count, 0);
        looks.push({ asked, got: rows.length });
      }
      return rows;
    },
  };
}
