import { JOB_STATUSES } from '@muster/protocol';
import type { StatsView, WorkerStatsView } from '@muster/protocol';
import { sql } from '../src/database/sql.js';
import { RetentionSchedule } from '../src/retention/retention.schedule.js';
import { StatsReader } from '../src/stats/stats-reader.js';
import { countWorkers } from '../src/workers/worker-stats.js';
import type { StandingCountRow } from '../src/workers/worker-stats.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { restAs, type Rest } from './rest.js';

jest.setTimeout(120_000);

const TRUTH = sql`select status, count(*)::int as jobs from job group by status`;
const LINES = sql`select count(*)::int as lines from job_tally`;
/** Lines as a thousand transactions leave them: jobs that came and were at once gone again. */
const MANY_LINES = sql`
  insert into job_tally (minute, from_status, to_status, jobs)
  select date_trunc('minute', now()), case when n % 2 = 0 then 'cancelled' end, case when n % 2 = 1 then 'cancelled' end, 1
  from generate_series(1, 3000) as n
`;
/** As if everything had happened so many minutes earlier. */
const AGE = sql`update job_tally set minute = minute - $1::integer * interval '1 minute'`;
const AGE_JOBS = sql`update job set finished_at = finished_at - interval '91 days', id = 'job_00' || substr(id, 7) where status = 'completed'`;

describe('the count of jobs', () => {
  let harness: Harness;
  let viewer: Rest;
  beforeAll(async () => {
    harness = await startHarness();
    viewer = await restAs(harness, 'viewer');
  });
  afterAll(() => harness?.stop());

  const stats = async (): Promise<StatsView> => (await viewer.get<StatsView>('/stats')).body;
  const truth = async (): Promise<object> => {
    const rows = await harness.database.query<{ status: string; jobs: number }>(TRUTH);
    return { ...Object.fromEntries(JOB_STATUSES.map((status) => [status, 0])), ...Object.fromEntries(rows.map((row) => [row.status, row.jobs])) };
  };
  const lines = async (): Promise<number> => (await harness.database.query<{ lines: number }>(LINES))[0]?.lines ?? NaN;

  it('is nothing where nothing is', async () => {
    const nothing = { submitted: 0, started: 0, completed: 0, failed: 0, cancelled: 0 };
    expect(await stats()).toMatchObject({ jobs: await truth(), oldestQueuedAt: null, lastFiveMinutes: nothing, lastHour: nothing });
  });

  it('is the truth after jobs were submitted, tried again, frozen, completed, failed and cancelled', async () => {
    const ada = await restAs(harness, 'submitter', 'ada');
    const agent = await harness.agent({ slots: 2 });
    const waiting = await harness.submit({ needs: { gpus: 60 } });
    const cancelled = await harness.submit({ needs: { gpus: 60 } }, 'ada');
    expect((await ada.post(`/jobs/${cancelled}/cancel`)).status).toBe(202);
    for (const outcome of ['succeeded', 'succeeded', 'failed'] as const) {
      await harness.submit();
      const offer = await agent.nextOffer();
      await agent.start(offer);
      await agent.end(offer, outcome === 'failed' ? { outcome, exit: { code: 1, signal: null } } : { outcome });
    }
    await harness.submit();
    const refused = await agent.nextOffer();
    await agent.ask('attempt:refuse', { attemptId: refused.attemptId, epoch: refused.epoch, reason: 'diskFloor' });
    await agent.beat();
    await agent.start(await agent.nextOffer());

    const shown = await stats();
    expect(shown.jobs).toEqual(await truth());
    expect(shown.jobs).toMatchObject({ queued: 1, running: 1, completed: 2, failed: 1, cancelled: 1 });
    const moved = { submitted: 6, started: 4, completed: 2, failed: 1, cancelled: 1 };
    expect(shown.lastFiveMinutes).toMatchObject(moved);
    expect(shown.lastHour).toMatchObject(moved);
    const [oldest] = await harness.database.query<{ created_at: Date }>(sql`select created_at from job where id = $1`, [waiting]);
    expect(shown.oldestQueuedAt).toBe(oldest?.created_at.toISOString());
    agent.leave();
  });

  it('stays the truth while its lines are folded by two replicas at once, and lines stay few', async () => {
    const other = await harness.startReplica();
    const before = await stats();
    await harness.database.execute(MANY_LINES);
    const readers = [harness.controlPlane, other].map((replica) => replica.app.get(StatsReader));
    const folding = Promise.all([...readers, ...readers].map((reader) => reader.fold()));
    for (let look = 0; look < 5; look++) expect((await stats()).jobs).toEqual(before.jobs);
    await folding;
    expect(await lines()).toBeLessThan(60);
    expect((await stats()).jobs).toEqual(before.jobs);
  });

  it('forgets when jobs moved, not that they did', async () => {
    const before = await stats();
    await harness.database.execute(AGE, [30]);
    const recent = await stats();
    expect(recent.lastFiveMinutes.submitted).toBe(0);
    expect(recent.lastHour.submitted).toBe(before.lastHour.submitted);
    await harness.database.execute(AGE, [60]);
    await harness.controlPlane.app.get(StatsReader).fold(0);
    const later = await stats();
    expect(later.lastHour).toMatchObject({ submitted: 0, started: 0, completed: 0, failed: 0, cancelled: 0 });
    expect(later.jobs).toEqual(before.jobs);
    expect(await lines()).toBeLessThan(15);
  });

  it('loses what retention removes', async () => {
    await harness.database.execute(sql`delete from attempt where job_id in (select id from job where status = 'completed')`);
    await harness.database.execute(AGE_JOBS);
    await harness.controlPlane.app.get(RetentionSchedule).tick();
    const shown = await stats();
    expect(shown.jobs).toEqual(await truth());
    expect(shown.jobs.completed).toBe(0);
  });
});

describe('the count of workers', () => {
  const W = 60_000;
  const aWorker = (changes: Partial<StandingCountRow> = {}): StandingCountRow => ({
    count: 1, takes_offers: true, is_in_maintenance: false, removed_at: null, silent_ms: 0,
    capability: 'cpu', slots: 2, slots_usable: 2, is_paused: false, link: 'connected', active_count: 0, has_faults: false, reported_status: null, ...changes,
  });

  it('gives each one status and one capability, and calls available what would be offered a job', () => {
    const workers = [
      aWorker(), aWorker({ active_count: 1, capability: 'gpu' }), aWorker({ active_count: 2 }), aWorker({ link: 'unreachable', active_count: 1 }),
      aWorker({ link: 'suspect', capability: 'hybrid', takes_offers: false }), aWorker({ slots_usable: 0 }),
      aWorker({ is_paused: true, takes_offers: false }), aWorker({ has_faults: true }), aWorker({ has_faults: true, link: 'unreachable' }),
      aWorker({ silent_ms: W }), aWorker({ active_count: 1, slots_usable: 1 }), aWorker({ capability: 'gpu', count: 3 }),
      aWorker({ is_in_maintenance: true, takes_offers: false }), aWorker({ is_in_maintenance: true, has_faults: true, takes_offers: false }),
      aWorker({ is_in_maintenance: true, link: 'unreachable', takes_offers: false }), aWorker({ reported_status: 'maintenance' }),
    ];
    expect(countWorkers(workers, W)).toEqual({
      total: 18, online: 9, offline: 3, busy: 1, error: 2, maintenance: 3, cpuWorkers: 13, gpuWorkers: 4, hybridWorkers: 1, available: 5,
    });
  });

  it('is told over REST, of the workers that were not removed', async () => {
    const harness = await startHarness();
    try {
      const viewer = await restAs(harness, 'viewer');
      const read = async (): Promise<WorkerStatsView> => (await viewer.get<WorkerStatsView>('/workers/stats')).body;
      expect(await read()).toMatchObject({ total: 0, available: 0 });
      const agent = await harness.agent({ slots: 1 });
      const { workerId: leaving } = await harness.agent({ slots: 1 });
      expect(await read()).toMatchObject({ total: 2, online: 2, available: 2 });
      await harness.database.execute(sql`update worker set removed_at = now() where id = $1`, [leaving]);
      await harness.submitMany(1);
      await agent.nextOffer();
      expect(await read()).toMatchObject({ total: 1, online: 0, busy: 1, available: 0 });
    } finally {
      await harness.stop();
    }
  });
});
