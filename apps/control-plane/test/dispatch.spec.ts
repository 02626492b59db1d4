import type { WorkerId } from '@muster/protocol';
import { anInventory } from '@muster/testing';
import { Database } from '../src/database/database.js';
import { ConnectionPool, type Transaction } from '../src/database/connection-pool.js';
import { sql, Statement } from '../src/database/sql.js';
import { Backoffs } from '../src/dispatch/backoffs.js';
import { CLAIM_HEADS } from '../src/dispatch/dispatch.sql.js';
import { LaneBook } from '../src/dispatch/lane-book.js';
import { Dispatcher } from '../src/dispatch/dispatcher.js';
import { takeTurn } from '../src/dispatch/turn.js';
import { log, startHarness, type Harness } from './control-plane-harness.js';

jest.setTimeout(300_000);

const ADD_WORKERS = sql`
  insert into worker (id, machine_id, key_id, owner, name, capability, inventory, slots, slots_usable, link, replica_id, last_beat_at)
  select 'wkr_' || lpad(number::text, 26, '0'), 'machine-' || number, (select id from api_key where role = 'worker'), 'workers',
    'worker-' || number, 'cpu', $2::jsonb, 30, 30, 'connected', 'replica-' || (number % 4), now()
  from generate_series(1, $1::integer) as number
`;
const ADD_ROOMY_WORKER = sql`
  insert into worker (id, machine_id, key_id, owner, name, capability, inventory, slots, slots_usable, link, replica_id, last_beat_at)
  values ('wkr_roomy', 'machine-roomy', (select id from api_key where role = 'worker' limit 1), 'workers', 'roomy', 'cpu', $1::jsonb, 200, 200,
    'connected', 'roomy', now())
`;
const WORKER_IDS = sql`select id from worker where replica_id = $1 order by id`;
const GRANTED = sql`select worker_id, count(*) as live from attempt where state <> 'ended' group by worker_id`;
const DOUBLY_GRANTED = sql`select job_id from attempt group by job_id having count(*) > 1`;
const LANES = sql`select id from lane`;
const BACK_OFF = sql`update job set not_before = now() + $2::double precision * interval '1 second' where id = any($1::text[])`;
const STILL_BACKED_OFF = sql`select count(*)::int as count from job where id = any($1::text[]) and not_before is not null`;
const OFFERED = sql`select (extract(epoch from offered_at) * 1000)::double precision as offered_ms from attempt where job_id = $1`;
const NOW = sql`select (extract(epoch from clock_timestamp()) * 1000)::double precision as now_ms`;
const COUNTS = sql`select status, count(*) as count, max(epoch) as epoch from job group by status order by status`;

describe('claiming', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.stop());

  it('by eight claimers at once grants each of 2,000 jobs at most once, and never more than there are slots', async () => {
    await harness.database.execute(ADD_WORKERS, [40, JSON.stringify(anInventory())]);
    await Promise.all(Array.from({ length: 10 }, (_, owner) => harness.submitMany(200, {}, `owner-${owner}`)));

    const grantedOf = new Map<string, number>();
    const claimer = async (replicaId: string): Promise<number> => {
      const pool = new ConnectionPool({ url: harness.databaseUrl, name: 'claimer', size: 1, synchronousCommit: true, isLane: true }, log);
      const book = new LaneBook();
      let granted = 0;
      const workerIds = (await pool.query<{ id: WorkerId }>(WORKER_IDS, [replicaId])).map((row) => row.id);
      // A turn may find every head locked by others and grant nothing: the replica's workers are full later.
      while ((grantedOf.get(replicaId) ?? 0) < workerIds.length * 30) {
        const context = { workerTimeoutMs: 60_000, beatIntervalMs: 10_000, offerTtlMs: 60_000 };
        const claimed = await pool.transaction((transaction) => takeTurn(transaction, book, { workerIds, replicaId, context }));
        const count = claimed?.decision.attempts.length ?? 0;
        granted += count;
        grantedOf.set(replicaId, (grantedOf.get(replicaId) ?? 0) + count);
      }
      await pool.end();
      return granted;
    };
    // Two claimers compete for the workers of each of four replicas, all for the same jobs.
    const grants = await Promise.all(Array.from({ length: 8 }, (_, index) => claimer(`replica-${index % 4}`)));

    const total = grants.reduce((sum, count) => sum + count, 0);
    expect(total).toBe(40 * 30);
    expect(await harness.database.query(DOUBLY_GRANTED)).toEqual([]);
    const live = await harness.database.query<{ live: number }>(GRANTED);
    expect(live.map((row) => row.live)).toEqual(Array.from({ length: 40 }, () => 30));
    expect(await harness.database.query(COUNTS)).toEqual([
      { status: 'assigned', count: 1_200, epoch: 1 },
      { status: 'queued', count: 800, epoch: 0 },
    ]);
  });
});

describe('a claim that is slow between its workers and its jobs', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.stop());

  it('offers nothing earlier than what ended meanwhile, so that attempts of a job never seem to overlap', async () => {
    await harness.database.execute(ADD_WORKERS, [1, JSON.stringify(anInventory())]);
    const jobId = await harness.submit();
    const replicaId = 'replica-1';
    const workerIds = (await harness.database.query<{ id: WorkerId }>(WORKER_IDS, [replicaId])).map((row) => row.id);
    const context = { workerTimeoutMs: 60_000, beatIntervalMs: 10_000, offerTtlMs: 60_000 };
    let justBeforeMs = Infinity;
    await harness.database.transaction(async (transaction) => {
      let last: Promise<unknown> = Promise.resolve();
      function query<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]> {
        const answer = last.then(async () => {
          if (statement === CLAIM_HEADS) [{ now_ms: justBeforeMs } = { now_ms: Infinity }] = await harness.database.query<{ now_ms: number }>(NOW);
          return transaction.query<Row>(statement, values);
        });
        last = answer;
        return answer;
      }
      const hesitating: Transaction = {
        query,
        execute: (statement, values) => transaction.execute(statement, values),
        send: (statement, values) => transaction.send(statement, values),
      };
      await takeTurn(hesitating, new LaneBook(), { workerIds, replicaId, context });
    });
    const [attempt] = await harness.database.query<{ offered_ms: number }>(OFFERED, [jobId]);
    expect(attempt?.offered_ms).toBeGreaterThanOrEqual(justBeforeMs);
  });

  it('puts all jobs back in line whose backoffs are over at the same moment, in one go', async () => {
    const jobIds = await harness.submitMany(2_500, { needs: { labels: { nobody: 'has this' } } });
    await harness.database.execute(BACK_OFF, [jobIds, -1]);
    let tellings = 0;
    const backoffs = new Backoffs({
      database: harness.database,
      isNeeded: () => true,
      onEnded: () => (tellings += 1),
      onError: (error) => {
        throw error;
      },
    });
    await backoffs.tick();
    expect(await harness.database.query(STILL_BACKED_OFF, [jobIds])).toEqual([{ count: 0 }]);
    expect(tellings).toBe(3);
  });

  it('grants to urgent jobs what is free, also when they are more than their share of one claim', async () => {
    await harness.database.execute(ADD_ROOMY_WORKER, [JSON.stringify(anInventory())]);
    await Promise.all(Array.from({ length: 20 }, (_, lane) => harness.submitMany(60, {}, `calm-${lane}`)));
    const urgent = new Set<string>(await harness.submitMany(200, { priority: 9 }, 'hurried'));
    const pool = new ConnectionPool({ url: harness.databaseUrl, name: 'claimer', size: 1, synchronousCommit: true, isLane: true }, log);
    const request = { workerIds: ['wkr_roomy' as WorkerId], replicaId: 'roomy', context: { workerTimeoutMs: 60_000, beatIntervalMs: 10_000, offerTtlMs: 60_000 } };
    const granted: string[] = [];
    while (granted.length < 200) {
      const claimed = await pool.transaction((transaction) => takeTurn(transaction, new LaneBook(), request));
      granted.push(...(claimed?.decision.attempts ?? []).map(({ jobId }) => jobId));
    }
    await pool.end();
    expect(granted.filter((id) => !urgent.has(id))).toEqual([]);
  });
});

describe('dispatch', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.stop());

  it('never offers a worker more than its slots, and goes on as they become free', async () => {
    const agent = await harness.agent({ slots: 3 });
    await harness.submitMany(5);
    const first = [await agent.nextOffer(), await agent.nextOffer(), await agent.nextOffer()];
    await harness.controlPlane.app.get(Dispatcher).tick();
    expect(agent.offers).toEqual([]);
    for (const offer of first) {
      await agent.start(offer);
      await agent.end(offer);
    }
    for (const offer of [await agent.nextOffer(), await agent.nextOffer()]) {
      await agent.start(offer);
      await agent.end(offer);
    }
    agent.leave();
  });

  it('lets a job that fits nobody wait without holding up those behind it', async () => {
    const agent = await harness.agent({ slots: 1 });
    const impossible = await harness.submit({ needs: { gpus: 4 }, priority: 100 });
    const possible = await harness.submit();
    expect(await agent.nextOffer()).toMatchObject({ jobId: possible });
    expect(await harness.job(impossible)).toMatchObject({ status: 'queued' });
    agent.leave();
  });

  it('takes priority before age', async () => {
    const low = await harness.submit({ priority: -5 });
    const high = await harness.submit({ priority: 5 });
    const agent = await harness.agent({ slots: 1 });
    const order: string[] = [];
    while (order.length < 2) {
      const offer = await agent.nextOffer();
      if (offer.jobId === low || offer.jobId === high) order.push(offer.jobId);
      await agent.start(offer);
      await agent.end(offer);
    }
    expect(order).toEqual([high, low]);
    agent.leave();
  });

  it('never looks at jobs that wait out a backoff, and takes each when its backoff is over', async () => {
    const waiting = await harness.submitMany(3_000);
    await harness.database.execute(BACK_OFF, [waiting, 3_600]);
    const [next] = waiting.slice(-1);
    await harness.database.execute(BACK_OFF, [[next], -1]);
    const agent = await harness.agent({ slots: 1 });
    const offer = await agent.nextOffer();
    expect(offer).toMatchObject({ jobId: next });
    const lanes = await harness.database.query<{ id: number }>(LANES);
    const plan = await harness.controlPlane.app
      .get(Database)
      .lane('dispatch')
      .query(new Statement(`explain (analyze) ${CLAIM_HEADS.text}`), [lanes.map(({ id }) => id), lanes.map(() => 5)]);
    expect(JSON.stringify(plan)).toContain('job_lane_head');
    expect(JSON.stringify(plan)).not.toMatch(/Rows Removed by Filter: \d{3}/);
    await agent.start(offer);
    await agent.end(offer);
    agent.leave();
  });

  it('offers nothing to an agent that wants nothing', async () => {
    const agent = await harness.agent({ slots: 2 });
    await agent.beat([], true);
    await harness.submit();
    await harness.controlPlane.app.get(Dispatcher).tick();
    expect(agent.offers).toEqual([]);
    await agent.beat([], false);
    await agent.end(await agent.nextOffer(), { outcome: 'cancelled' }).catch(() => undefined);
    agent.leave();
  });
});

describe('two replicas', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness?.stop());

  it('share the queue without granting anything twice, and every job ends once', async () => {
    const second = await harness.startReplica();
    const agents = await Promise.all(
      Array.from({ length: 6 }, (_, index) => harness.agent({ slots: 4, url: (index % 2 === 0 ? harness.controlPlane : second).url })),
    );
    const jobIds = await harness.submitMany(200);
    let ended = 0;
    const serving = agents.map(async (agent) => {
      while (ended < jobIds.length) {
        const offer = agent.offers.shift();
        if (!offer) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          continue;
        }
        if ((await agent.start(offer)).kind !== 'go') continue;
        if ((await agent.end(offer)).kind === 'accepted') ended += 1;
      }
    });
    await Promise.all(serving);
    expect(ended).toBe(jobIds.length);
    expect(await harness.database.query(COUNTS)).toEqual([{ status: 'completed', count: 200, epoch: 1 }]);
    expect(await harness.database.query(DOUBLY_GRANTED)).toEqual([]);
    for (const agent of agents) agent.leave();
  });
});

describe('a lane connection', () => {
  it('keeps its session settings, so that plans never fall back to reading whole tables', async () => {
    const harness = await startHarness();
    const database = new Database(harness.databaseUrl, log);
    try {
      const show = sql`select current_setting('enable_mergejoin') as mergejoin, current_setting('synchronous_commit') as commit`;
      expect(await database.lane('transitions').query(show)).toEqual([{ mergejoin: 'off', commit: 'on' }]);
      expect(await database.lane('samples').query(show)).toEqual([{ mergejoin: 'off', commit: 'off' }]);
      expect(await database.query(show)).toEqual([{ mergejoin: 'on', commit: 'on' }]);
    } finally {
      await database.end();
      await harness.stop();
    }
  });
});
