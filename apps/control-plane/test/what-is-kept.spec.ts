import type { AttemptView, JobView, LogPageView, MetaView, Page, Problem } from '@muster/protocol';
import { createLogger, createSystemClock, type Clock } from '@muster/runtime';
import { eventually } from '@muster/testing';
import pg from 'pg';
import { configWith, readConfig, type ControlPlaneConfig } from '../src/config.js';
import { sql } from '../src/database/sql.js';
import { JobRemoval } from '../src/retention/job-removal.js';
import { LogDebts } from '../src/retention/log-debts.js';
import { PartitionKeeper } from '../src/retention/partition-keeper.js';
import { RetentionSchedule } from '../src/retention/retention.schedule.js';
import { DAY_MS, finishAgedJob, piecesOf, putAgedJob, putPiece } from './aged-jobs.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { restAs, type Rest } from './rest.js';

jest.setTimeout(120_000);

const LEFT = sql`
  select (select count(*)::int from job where id = $1) as jobs, (select count(*)::int from attempt where job_id = $1) as attempts,
    (select count(*)::int from event where job_id = $1) as events, (select count(*)::int from log_stream where log_id = $2) as streams,
    (select count(*)::int from log_chunk where log_id = $2) as chunks, (select count(*)::int from metric_stream where log_id = $2) as metrics,
    (select count(*)::int from metric_point where log_id = $2) as points
`;
const DETACHES_WAITING = sql`
  select count(*)::int as count
  from pg_stat_activity
  where datname = current_database() and wait_event_type = 'Lock' and query like '%partition_detach%'
`;
const ALL = { jobs: 1, attempts: 1, events: 1, streams: 1, chunks: 1, metrics: 1, points: 1 };
const NONE = { jobs: 0, attempts: 0, events: 0, streams: 0, chunks: 0, metrics: 0, points: 0 };

/** The replica's clock, which each round sets forward: what finished long ago did so since the last one. */
class MovedClock implements Clock {
  private aheadMs = 0;
  private readonly system = createSystemClock();
  readonly nowMs = this.system.nowMs;
  readonly sleep = this.system.sleep;

  monotonicMs(): number {
    return this.system.monotonicMs() + this.aheadMs;
  }

  passDays(days: number): void {
    this.aheadMs += days * DAY_MS;
  }
}

describe('what is kept', () => {
  const clock = new MovedClock();
  let harness: Harness;
  let viewer: Rest;
  beforeAll(async () => {
    harness = await startHarness({ clock, config: { logRetentionMs: 30 * DAY_MS, jobRetentionMs: 90 * DAY_MS } });
    viewer = await restAs(harness, 'viewer');
  });
  afterAll(() => harness?.stop());

  const round = (): Promise<void> => {
    clock.passDays(91);
    return harness.controlPlane.app.get(RetentionSchedule).tick();
  };
  const left = async (job: { id: string; attemptId: string }): Promise<object | undefined> =>
    (await harness.database.query<object>(LEFT, [job.id, job.attemptId]))[0];

  it('is told by the control plane', async () => {
    const { body } = await viewer.get<MetaView>('/meta');
    expect(body).toMatchObject({ jobRetentionMs: 90 * DAY_MS, logRetentionMs: 30 * DAY_MS });
  });

  it('has a place made for it ahead of time, so that the default one stays empty', async () => {
    for (const table of ['log_chunk', 'metric_point', 'event'] as const) expect((await piecesOf(harness.database, table)).length).toBeGreaterThanOrEqual(5);
    const agent = await harness.agent();
    const id = await harness.submit();
    const offer = await agent.nextOffer();
    await agent.start(offer);
    const [row] = await harness.database.query(
      sql`select (select count(*)::int from event_default where job_id is not null) as strays, (select count(*)::int from event where job_id = $1) as events`,
      [id],
    );
    expect(row).toMatchObject({ strays: 0, events: 3 });
    agent.leave();
  });

  it('is a finished job until its time is over, and then nothing of it', async () => {
    const due = await putAgedJob(harness.database, 95, 91);
    const young = await putAgedJob(harness.database, 95, 89);
    const running = await putAgedJob(harness.database, 200, null);
    await round();
    expect(await left(due)).toEqual(NONE);
    expect(await left(young)).toEqual(ALL);
    expect(await left(running)).toEqual(ALL);
    const gone = await viewer.get<Problem>(`/jobs/${due.id}`);
    expect(gone.status).toBe(404);
    expect(gone.body.hint).toContain('removed');
    await finishAgedJob(harness.database, running.id, 100);
    await round();
    expect(await left(running)).toEqual(NONE);
  });

  it('is walked past once, and again when the first of it is due', async () => {
    const kept = await Promise.all([89.5, 70].map((days) => putAgedJob(harness.database, 95, days)));
    const removal = harness.controlPlane.app.get(JobRemoval);
    await round();
    for (const { id } of kept) await finishAgedJob(harness.database, id, 99);
    expect(await removal.removeDue(new AbortController().signal)).toBe(0);
    clock.passDays(0.4);
    expect(await removal.removeDue(new AbortController().signal)).toBe(0);
    clock.passDays(0.2);
    expect(await removal.removeDue(new AbortController().signal)).toBe(2);
  });

  it('is a log until its time is over, and then a sentence about it', async () => {
    const piece = await putPiece(harness.database, 'log_chunk', 48, 46);
    const job = await putAgedJob(harness.database, 47, 31);
    expect((await viewer.get<LogPageView>(`/jobs/${job.id}/logs`)).body.segments).toHaveLength(1);
    await round();
    expect(await piecesOf(harness.database, 'log_chunk')).not.toContain(piece);
    for (const path of ['logs', 'logs?q=hello', 'logs/download']) {
      const { status, body } = await viewer.get<Problem>(`/jobs/${job.id}/${path}`);
      expect({ status, code: body.code }).toEqual({ status: 410, code: 'logRemoved' });
      expect(body.detail).toBe(`The log of attempt 1 of ${job.id} (6 bytes, 1 lines) was removed: logs are kept for 30d after their job finished.`);
    }
    const { body: attempts } = await viewer.get<{ data: AttemptView[] }>(`/jobs/${job.id}/attempts`);
    expect(attempts.data[0]?.logs.output).toMatchObject({ state: 'removed', storedLength: 6, lineCount: 1 });
    expect((await viewer.get(`/jobs/${job.id}/logs?follow=true`)).text).toContain('"logState":"removed"');
    expect(await left(job)).toEqual({ ...ALL, chunks: 0 });
  });

  it('is every byte of a job that ran for months, and of all that share its piece, until it is over for long enough', async () => {
    const pieces = [await putPiece(harness.database, 'log_chunk', 120, 118), await putPiece(harness.database, 'event', 120, 118)];
    const long = await putAgedJob(harness.database, 119, null);
    const short = await putAgedJob(harness.database, 119, 40);
    await round();
    expect((await viewer.get(`/jobs/${long.id}/logs`)).status).toBe(200);
    expect(await left(short)).toEqual(ALL);
    await finishAgedJob(harness.database, long.id, 29);
    await round();
    expect((await viewer.get(`/jobs/${long.id}/logs`)).status).toBe(200);
    await finishAgedJob(harness.database, long.id, 31);
    await round();
    expect((await viewer.get(`/jobs/${long.id}/logs`)).status).toBe(410);
    expect(await piecesOf(harness.database, 'log_chunk')).not.toContain(pieces[0]);
    expect(await piecesOf(harness.database, 'event')).toContain(pieces[1]);
    expect(await left(long)).toEqual({ ...ALL, chunks: 0 });
    for (const { id } of [long, short]) await finishAgedJob(harness.database, id, 91);
    await round();
    expect(await piecesOf(harness.database, 'event')).not.toContain(pieces[1]);
  });

  it('is what happened to no job for as long as jobs are', async () => {
    const put = sql`insert into event (id, type, at, actor) values ($1, 'worker.suspect', now() - $2::float8 * interval '1 ms', 'muster')`;
    await harness.database.execute(put, ['evt_old', 91 * DAY_MS]);
    await harness.database.execute(put, ['evt_young', 89 * DAY_MS]);
    await round();
    expect(await harness.database.query(sql`select id from event where id in ('evt_old', 'evt_young')`)).toEqual([{ id: 'evt_young' }]);
  });

  it('is found page by page, also behind jobs that went meanwhile', async () => {
    const born = [99, 98, 97, 96].map((days) => putAgedJob(harness.database, days, days === 98 ? 92 : 10));
    const [oldest, due, third, newest] = await Promise.all(born);
    const page = async (cursor: string): Promise<Page<JobView>> => (await viewer.get<Page<JobView>>(`/jobs?owner=ada&prefix=job_0&limit=1${cursor}`)).body;
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { data, nextCursor }: Page<JobView> = await page(cursor && `&cursor=${cursor}`);
      seen.push(...data.map((job) => job.id));
      // The page that begins at it was asked for, and then it goes.
      if (seen.at(-1) === due?.id) await round();
      cursor = nextCursor;
    }
    expect((await viewer.get(`/jobs/${due?.id}`)).status).toBe(404);
    expect(seen.slice(-4)).toEqual([newest?.id, third?.id, due?.id, oldest?.id]);
  });
});

describe('pieces of tables', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness({ config: { logRetentionMs: 30 * DAY_MS, jobRetentionMs: 90 * DAY_MS } });
  });
  afterAll(() => harness?.stop());

  /** Somebody in the middle of a transaction that has read the table. */
  async function readerOf(table: string): Promise<{ leave(): Promise<void> }> {
    const reader = new pg.Client({ connectionString: harness.databaseUrl });
    await reader.connect();
    await reader.query('begin');
    await reader.query(`select count(*) from ${table}`);
    return {
      leave: async () => {
        await reader.query('commit');
        await reader.end();
      },
    };
  }

  it('are made and dropped once by two replicas that do both at the same time', async () => {
    const other = await harness.startReplica();
    const piece = await putPiece(harness.database, 'log_chunk', 60, 58);
    await harness.database.execute(sql`do $$ declare one text; begin for one in select relname from pg_class where relname ~ '^metric_point_[0-9]' and relkind = 'r' loop execute format('drop table %I', one); end loop; end $$`);
    const rounds = [harness.controlPlane, other].map((replica) => replica.app.get(RetentionSchedule));
    await Promise.all([...rounds, ...rounds].map((one) => one.tick()));
    await Promise.all(rounds.map((one) => one.tick()));
    expect(await piecesOf(harness.database, 'log_chunk')).not.toContain(piece);
    // Those there must be, one more that time may have called for meanwhile, and the default one.
    expect([5, 6]).toContain((await piecesOf(harness.database, 'metric_point')).length);
  });

  it('that a killed replica had taken out but not dropped yet are dropped by the next round', async () => {
    const piece = await putPiece(harness.database, 'event', 200, 190);
    await harness.database.execute(sql`select partition_detach($1, $2)`, ['event', piece]);
    expect(await piecesOf(harness.database, 'event')).toContain(piece);
    await harness.controlPlane.app.get(RetentionSchedule).tick();
    expect(await piecesOf(harness.database, 'event')).not.toContain(piece);
  });

  it('are never dropped while they are part of a table', async () => {
    const piece = await putPiece(harness.database, 'event', 230, 220);
    await expect(harness.database.execute(sql`select partition_discard($1)`, [piece])).rejects.toThrow('in use');
    expect(await piecesOf(harness.database, 'event')).toContain(piece);
  });

  it('wait for a reader who has been at the table for long, and writers go on', async () => {
    const piece = await putPiece(harness.database, 'log_chunk', 70, 68);
    const reader = await readerOf('log_chunk');
    let isSeen = false;
    // Again and again, because it waits half a second at most: a busy machine may miss that.
    const rounds = (async () => {
      while (!isSeen) await harness.controlPlane.app.get(RetentionSchedule).tick();
    })();
    await eventually('the piece is waiting to be taken out', async () => (await harness.database.query<{ count: number }>(DETACHES_WAITING))[0]?.count === 1, {
      everyMs: 5,
    });
    isSeen = true;
    // Behind the one that waits, and stored while the reader still reads.
    await putAgedJob(harness.database, 1, null);
    await rounds;
    expect(await piecesOf(harness.database, 'log_chunk')).toContain(piece);
    await reader.leave();
    await harness.controlPlane.app.get(RetentionSchedule).tick();
    expect(await piecesOf(harness.database, 'log_chunk')).not.toContain(piece);
  });

  it('that run out, because somebody has been at the table for long, are warned of by its name', async () => {
    const warnings: string[] = [];
    const told = createLogger({ name: 'test', level: 'warn', sink: { write: (line) => void warnings.push(line) } });
    // Those there are end in nine days: enough for spans of three days and of four, not of thirty.
    const keeperWith = (retentionDays: number): PartitionKeeper => {
      const config = configWith({ databaseUrl: harness.databaseUrl, logRetentionMs: retentionDays * DAY_MS, jobRetentionMs: 90 * DAY_MS });
      return new PartitionKeeper(harness.database, new LogDebts(harness.database, config), config, told);
    };
    const reader = await readerOf('log_chunk');
    await keeperWith(30).prepare();
    await keeperWith(40).prepare();
    expect(warnings).toEqual([]);
    await keeperWith(300).prepare();
    expect(warnings.map((line) => (JSON.parse(line) as { table: string }).table)).toEqual(['log_chunk']);
    await reader.leave();
  });

  it('that cannot be made, because rows lie where they would be, leave those rows where they are', async () => {
    const stray = await putAgedJob(harness.database, -400, -399);
    await expect(putPiece(harness.database, 'log_chunk', -399.5, -400.5)).rejects.toThrow('default');
    const [row] = await harness.database.query(sql`select count(*)::int as chunks from log_chunk where log_id = $1`, [stray.attemptId]);
    expect(row).toEqual({ chunks: 1 });
  });
});

describe('the times that things are kept for', () => {
  const read = (env: Record<string, string>): ControlPlaneConfig => readConfig(() => undefined, { DATABASE_URL: 'postgres://u@h/d', ...env });

  it('are thirty days for logs and ninety for jobs, unless told', () => {
    expect(read({})).toMatchObject({ logRetentionMs: 30 * DAY_MS, jobRetentionMs: 90 * DAY_MS });
    expect(read({ MUSTER_LOG_RETENTION: '2h', MUSTER_JOB_RETENTION: '1d' })).toMatchObject({ logRetentionMs: 7_200_000, jobRetentionMs: DAY_MS });
  });

  it.each([
    ['MUSTER_JOB_RETENTION', '1h'], ['MUSTER_JOB_RETENTION', '-5d'], ['MUSTER_JOB_RETENTION', 'for ever'], ['MUSTER_JOB_RETENTION', '0'],
    ['MUSTER_JOB_RETENTION', '99999d'], ['MUSTER_JOB_RETENTION', '29d'], ['MUSTER_LOG_RETENTION', '1s'], ['MUSTER_LOG_RETENTION', '99999d'],
  ])('are refused by name: %s=%s', (name, value) => {
    expect(() => read({ [name]: value })).toThrow(new RegExp(`${name}: expected a duration .*found "?${value}`));
  });
});
