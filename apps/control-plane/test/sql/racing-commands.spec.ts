import { AsyncLocalStorage } from 'node:async_hooks';
import { isDeepStrictEqual } from 'node:util';
import pg from 'pg';
import { isLive } from '@muster/domain';
import type { AttemptId, IdPrefix } from '@muster/protocol';
import { eventually, type FreshDatabase } from '@muster/testing';
import { ConnectionPool } from '../../src/database/connection-pool.js';
import { Database } from '../../src/database/database.js';
import { LaneKeeper } from '../../src/jobs/lane-keeper.js';
import { insertKey } from '../../src/keys/keys.service.js';
import type { newId as makeId } from '../../src/new-id.js';
import { log, testDatabase } from '../control-plane-harness.js';
import { Chance } from './chance.js';
import { Replica } from './meddling-replica.js';
import { RACES } from './race-cases.js';
import { RACE_MS, contextOf, doMove, serialOutcomes, type Outcome, type Race } from './races.js';
import { aProfile, clearFacts, plainFacts, putFacts, readFacts, type Putter } from './stored-facts.js';
import { CLOCK_SET, installVirtualClock } from './virtual-clock.js';
import { windowsOf } from './windows.js';

const mockIds = new AsyncLocalStorage<AttemptId[]>();
jest.mock('../../src/new-id.js', () => {
  const { newId } = jest.requireActual<{ newId: typeof makeId }>('../../src/new-id.js');
  return { newId: (prefix: IdPrefix) => (prefix === 'att' ? mockIds.getStore()?.shift() : undefined) ?? newId(prefix) };
});

jest.setTimeout(300_000);

/** Rounds of each pair in which both run as they like. */
const ROUNDS = Number(process.env['SQL_RACE_ROUNDS'] ?? 12);
/** Transactions of each of three replicas that meet on a handful of rows. */
const BATCHES = 60;
const WAITING = `select count(*)::integer as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;

let fresh: FreshDatabase;
let database: Database;
let putter: Putter;
let pools: readonly [ConnectionPool, ConnectionPool];
let gate: pg.Client;

beforeAll(async () => {
  fresh = await testDatabase();
  await installVirtualClock(fresh.url);
  database = new Database(fresh.url, log);
  const key = await database.transaction((connection) => insertKey(connection, { name: 'workers', role: 'worker', owner: 'team' }, 'test'));
  putter = { keyId: key.id, lanes: new LaneKeeper(), profileOf: aProfile };
  const aPool = (): ConnectionPool => new ConnectionPool({ url: fresh.url, name: 'racer', size: 1, synchronousCommit: true, isLane: true }, log);
  pools = [aPool(), aPool()];
  for (const pool of pools) await pool.query(CLOCK_SET, [String(RACE_MS)]);
  gate = new pg.Client({ connectionString: fresh.url });
  await gate.connect();
});
afterAll(async () => {
  await gate?.end();
  for (const pool of pools ?? []) await pool.end();
  await database?.end();
  await fresh?.drop();
});

async function put({ rows }: Race): Promise<void> {
  await clearFacts(database);
  await database.transaction((connection) => putFacts(connection, rows, putter));
}

function go({ moves }: Race, side: 0 | 1, chance: Chance, beats?: 'decided'): Promise<unknown> {
  return mockIds.run([...contextOf(side).newAttemptIds], () => doMove(pools[side], moves[side], side, chance, beats));
}

/** Which of the two orders it was; both, where they come to the same. */
async function orderOf(race: Race, replies: readonly unknown[]): Promise<readonly number[]> {
  const outcome: Outcome = { replies: JSON.parse(JSON.stringify(replies)) as unknown[], rows: plainFacts(await readFacts(database)) };
  const orders = serialOutcomes(race).flatMap((serial, index) => (isDeepStrictEqual(serial, outcome) ? [index] : []));
  if (orders.length === 0) expect(outcome).toEqual(serialOutcomes(race)[0]);
  return orders;
}

describe('at the same moment', () => {
  it.each(RACES.map((race) => [race.name, race] as const))('%s end as one after the other would', async (_name, race) => {
    const chance = new Chance(race.name.length * 7_919 + RACES.indexOf(race));
    for (let round = 0; round < ROUNDS; round += 1) {
      await put(race);
      const first = round % 2 === 0 ? 0 : 1;
      const begun = first === 0 ? [go(race, 0, chance), go(race, 1, chance)] : [go(race, 1, chance), go(race, 0, chance)].reverse();
      expect((await orderOf(race, await Promise.all(begun))).length).toBeGreaterThan(0);
    }
  });

  const commands = RACES.filter(({ moves }) => moves.every((move) => 'command' in move));
  it.each(commands.map((race) => [race.name, race] as const))('%s that wait for the same rows go in the order in which they came', async (_name, race) => {
    for (const first of [0, 1] as const) {
      const second = first === 0 ? 1 : 0;
      await put(race);
      await gate.query('begin');
      await gate.query(`select from job for update`);
      const replies: Promise<unknown>[] = [];
      replies[first] = go(race, first, new Chance(1), 'decided');
      await waiting(1);
      replies[second] = go(race, second, new Chance(1), 'decided');
      await waiting(2);
      await gate.query('commit');
      expect(await orderOf(race, await Promise.all(replies))).toContain(first);
    }
  });
});

describe('batches of commands about the same rows', () => {
  it('never wait for one another in a circle, and leave each job with one live attempt at most', async () => {
    const [window] = windowsOf('reclaim', 1, 1);
    if (window === undefined) throw new Error('There is no schedule.');
    await clearFacts(database);
    await database.transaction((connection) => putFacts(connection, window.before, putter));
    const replicas = [0, 1, 2].map((index) => new Replica(fresh.url, index));
    try {
      await Promise.all(replicas.map((replica) => replica.run(BATCHES)));
    } finally {
      await Promise.all(replicas.map((replica) => replica.end()));
    }
    const { attempts, jobs } = await readFacts(database);
    const live = [...attempts.values()].filter(isLive).map(({ jobId }) => jobId);
    expect(new Set(live).size).toBe(live.length);
    for (const job of jobs.values()) expect(job.currentAttemptId === null || isLive(attempts.get(job.currentAttemptId) ?? { state: 'ended' })).toBe(true);
    expect(replicas.map(({ decided }) => decided > BATCHES)).toEqual([true, true, true]);
  });
});

/** Until so many connections stand before a lock. */
function waiting(count: number): Promise<unknown> {
  return eventually(`${count} waiting`, async () => (await gate.query<{ count: number }>(WAITING)).rows[0]?.count === count, { everyMs: 2 });
}
