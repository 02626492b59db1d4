import { eventually, type FakeAgent } from '@muster/testing';
import type { Offer } from '@muster/protocol';
import { ADVISORY_LOCK, ADVISORY_LOCKS } from '../src/database/advisory-locks.js';
import { Database } from '../src/database/database.js';
import type { Connection } from '../src/database/connection-pool.js';
import { sql, type Statement } from '../src/database/sql.js';
import { EngineService } from '../src/engine/engine.service.js';
import { ReplicaMarks } from '../src/replicas/replica-marks.js';
import { WatchSchedule } from '../src/workers/watch.schedule.js';
import { log, startHarness, type Harness } from './control-plane-harness.js';

jest.setTimeout(180_000);

const WORKERS_BLOCK = sql`lock table worker in access exclusive mode`;
const MARKS = sql`select alive_at from replica`;
const MARKS_OLD = sql`select from replica having max(alive_at) < clock_timestamp() - interval '6 seconds'`;
const SLEEP = sql`select pg_sleep(60)`;
/** Connections for whoever reads. */
const READERS_MOST = 8;
const READERS = sql`select pid, query_start from pg_stat_activity where datname = current_database() and query = $1 and state = 'active' order by pid`;
const WAKE = sql`select pg_cancel_backend(pid) from pg_stat_activity where query = $1`;
const EXPIRE = sql`update attempt set lease_until = now() - interval '1 second' where id = $1`;
const EXPIRE_LONG_AGO = sql`update attempt set lease_until = now() - interval '1 hour' where worker_id = any($1::text[]) and state <> 'ended'`;
const SILENCE = sql`update worker set last_beat_at = now() - interval '10 minutes' where id = any($1::text[])`;
const COPIES = sql`
  with source as (select * from attempt where worker_id = $1 and state <> 'ended' limit 1),
  copied as (
    insert into job (id, owner, name, spec, lane_id, status, reason, priority, epoch, current_attempt_id)
    select 'job_' || lpad(number::text, 26, '0'), owner, name, spec, lane_id, status, reason, priority, epoch, 'att_' || lpad(number::text, 26, '0')
    from job, generate_series(1, $2::integer) as number
    where job.id = (select job_id from source)
    returning id
  )
  insert into attempt (id, job_id, worker_id, number, epoch, state, lease_until, log_id)
  select 'att_' || right(copied.id, 26), copied.id, worker_id, number, epoch, state, lease_until, 'att_' || right(copied.id, 26)
  from copied, source
`;

describe('a busy control plane', () => {
  let harness: Harness;
  beforeEach(async () => {
    harness = await startHarness();
  });
  afterEach(() => harness?.stop());

  async function running(agent: FakeAgent): Promise<Offer> {
    await harness.submit();
    const offer = await agent.nextOffer();
    await agent.start(offer);
    return offer;
  }

  /** Holds what `statement` locks while `work` runs. */
  async function holding(statement: Statement, values: readonly unknown[], work: (holder: Connection) => Promise<void>): Promise<void> {
    const holder = new Database(harness.databaseUrl, log);
    try {
      await holder.transaction(async (connection) => {
        await connection.execute(statement, values);
        await work(connection);
      });
    } finally {
      await holder.end();
    }
  }

  it('says that it is alive while a sweep takes long', async () => {
    await holding(WORKERS_BLOCK, [], async (holder) => {
      const seen = new Set<number>();
      // Behind sweeps, each of which waits for 15 s, there would be two or three.
      await eventually('five marks are made', async () => {
        for (const row of await holder.query<{ alive_at: Date }>(MARKS)) seen.add(row.alive_at.getTime());
        return seen.size >= 5;
      }, { timeoutMs: 28_000 });
    });
  });

  it('declares nothing lost while it cannot say that it is alive, and gives the time back', async () => {
    const agent = await harness.agent({ slots: 1 });
    const offer = await running(agent);
    const { app } = harness.controlPlane;
    await holding(ADVISORY_LOCK, [ADVISORY_LOCKS.marks], async () => {
      await eventually('the mark is old', async () => (await harness.database.query(MARKS_OLD)).length > 0);
      expect(app.get(ReplicaMarks).isFresh).toBe(false);
      await harness.database.execute(EXPIRE, [offer.attemptId]);
      await app.get(WatchSchedule).watch();
      expect(await harness.attempts(offer.jobId)).toMatchObject([{ state: 'running' }]);
    });
    await eventually('it is alive', () => app.get(ReplicaMarks).isFresh);
    await app.get(WatchSchedule).watch();
    const [attempt] = await harness.attempts(offer.jobId);
    expect(attempt).toMatchObject({ state: 'running' });
    expect(attempt?.lease_until?.getTime()).toBeGreaterThan(Date.now());
  });

  it('greets agents while every connection for readers is taken', async () => {
    const agent = await harness.agent();
    await agent.reconnect();
    const database = harness.controlPlane.app.get(Database);
    const readers = Array.from({ length: 20 }, () => database.query(SLEEP).catch(() => undefined));
    let left = readers.length;
    for (const reader of readers) void reader.then(() => (left -= 1));
    // By somebody else: they are more than there are connections, so that each that is free takes the next.
    const waker = new Database(harness.databaseUrl, log);
    const holders = async (): Promise<unknown[]> => waker.query(READERS, [SLEEP.text]);
    const before = await eventually('every connection is taken', async () => {
      const now = await holders();
      return now.length === READERS_MOST && now;
    });
    await agent.hello();
    // Nobody made room for it.
    expect(await holders()).toEqual(before);
    agent.leave();
    await eventually('the readers have ended', async () => {
      await waker.execute(WAKE, [SLEEP.text]);
      return left === 0;
    });
    await waker.end();
  });

  it('sweeps the leases of one silent worker behind more than it looks at of workers that fell silent together', async () => {
    const together: FakeAgent[] = [];
    for (let count = 0; count < 6; count += 1) together.push(await harness.agent({ slots: 1 }));
    for (const agent of together) await running(agent);
    const [first] = together;
    await harness.database.execute(COPIES, [first?.workerId, 600]);
    const workerIds = together.map((agent) => agent.workerId);
    for (const agent of together) agent.leave();
    await harness.database.execute(SILENCE, [workerIds]);
    await harness.database.execute(EXPIRE_LONG_AGO, [workerIds]);

    const offered = await harness.agent({ slots: 1 });
    const jobId = await harness.submit();
    const offer = await offered.nextOffer();
    await harness.database.execute(EXPIRE, [offer.attemptId]);
    await eventually('the offer is taken back', async () => (await harness.attempts(jobId))[0]?.state === 'ended', { timeoutMs: 20_000 });
    expect(await harness.database.query(sql`select from attempt where outcome = 'lost'`)).toEqual([]);
    offered.leave();
  });

  it('sweeps the rest when one row that is due cannot be decided', async () => {
    const agent = await harness.agent({ slots: 2 });
    const [broken, whole] = [await running(agent), await running(agent)];
    agent.leave();
    const engine = harness.controlPlane.app.get(EngineService);
    const execute = engine.execute.bind(engine);
    jest.spyOn(engine, 'execute').mockImplementation(async (command) => {
      if (command.type === 'workerLink') throw new Error('This row contradicts itself.');
      if (command.type === 'sweepAttempt' && command.attemptId === broken.attemptId) throw new Error('This row contradicts itself.');
      return execute(command);
    });
    await harness.database.execute(SILENCE, [[agent.workerId]]);
    await harness.database.execute(EXPIRE, [broken.attemptId]);
    await harness.database.execute(EXPIRE, [whole.attemptId]);
    const limited = await harness.submit({ limits: { queueSeconds: 1 }, needs: { gpus: 4 } });
    await eventually('the lease is over', async () => (await harness.attempts(whole.jobId))[0]?.outcome === 'lost');
    await eventually('the limit passes', async () => (await harness.job(limited)).reason === 'queueTimeout');
  });
});
