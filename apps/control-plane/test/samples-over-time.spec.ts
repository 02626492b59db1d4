import { SAMPLE_LIMITS } from '@muster/protocol';
import type { AttemptId, SampleSeriesView, SamplesView, WorkerSample } from '@muster/protocol';
import { eventually, type FakeAgent } from '@muster/testing';
import type { ControlPlane } from '../src/control-plane.js';
import { sql } from '../src/database/sql.js';
import { RetentionSchedule } from '../src/retention/retention.schedule.js';
import { SampleRollUp } from '../src/samples/sample-roll-up.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { restAs, type Rest } from './rest.js';

jest.setTimeout(120_000);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Series as beats of long ago left them: moments in milliseconds before now. */
const RAW_ADD = sql`
  insert into sample_raw (worker_id, subject, at_ms, measured)
  select $1, $2, at_ms, measured::double precision[] from unnest($3::bigint[], $4::text[]) as old (at_ms, measured)
`;
const FORGET = sql`with raw as (delete from sample_raw), minutes as (delete from sample_minute) delete from sample_hour`;
const ROLLED_TO = sql`update sample_rollup set rolled_to_ms = $1::bigint`;
const MINUTES = sql`select worker_id, subject, at_ms, samples, counts, means, lows, highs from sample_minute order by 1, 2, 3`;
const HOURS = sql`select subject, at_ms, samples, counts[1:2] as counts, means[1:2] as means, lows[1:2] as lows, highs[1:2] as highs from sample_hour order by 1, 2`;
const NEARLY_OVER = sql`update attempt set lease_until = now() + interval '1 minute' where job_id = $1`;
const RAW_COUNT = sql`select count(*)::int as count from sample_raw`;
const OLD_PIECE = sql`select partition_add('sample_raw', 'sample_raw_0000000001', $1, $2)`;
const OLD_PARTITIONS = sql`select count(*)::int as count from pg_class where relname = 'sample_raw_0000000001'`;

let harness: Harness;
let other: ControlPlane;
let viewer: Rest;
let agent: FakeAgent;
beforeAll(async () => {
  harness = await startHarness();
  other = await harness.startReplica();
  viewer = await restAs(harness, 'viewer');
  agent = await harness.agent({ name: 'lab-1' });
  // What is rolled up here is told by the tests.
  await Promise.all([harness.controlPlane, other].map(({ app }) => app.get(SampleRollUp).stop()));
});
afterAll(() => harness?.stop());
beforeEach(async () => {
  await harness.database.execute(FORGET);
  await harness.database.execute(ROLLED_TO, [pastHour(24)]);
});

const beat = (sample: Partial<WorkerSample>): Promise<unknown> =>
  agent.ask('worker:beat', {
    session: agent.session, executions: [], paused: false, slotsFree: 2,
    sample: { cpuPercent: null, memoryUsedMb: null, diskFreeMb: null, ...sample },
  });
const read = async (query: string, of = `/workers/${agent.workerId}`): Promise<SamplesView> => {
  const { status, body, text } = await viewer.get<SamplesView>(`${of}/samples${query}`);
  if (status !== 200) throw new Error(text);
  return body;
};
const machine = ({ series }: SamplesView): SampleSeriesView => {
  const found = series.find(({ subject }) => subject === 'machine');
  if (found === undefined) throw new Error('There is no series of the machine.');
  return found;
};
const addRaw = (atMs: readonly number[], values: (place: number) => string, subject = 'machine'): Promise<unknown> =>
  harness.database.execute(RAW_ADD, [agent.workerId, subject, atMs, atMs.map((_, place) => values(place))]);
const rollUp = (): Promise<unknown> => Promise.all([harness.controlPlane, other].map(({ app }) => app.get(SampleRollUp).tick()));
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const iso = (ms: number): string => new Date(ms).toISOString();
/** The beginning of an hour that was over a while ago. */
const pastHour = (hoursAgo: number): number => Math.floor(Date.now() / HOUR) * HOUR - hoursAgo * HOUR;

describe('samples of beats', () => {
  it('become series of the machine and of each GPU, unknown apart from none', async () => {
    const gpu = { utilisationPercent: 70, memoryUsedMb: 0, memoryTotalMb: 80_000, temperatureCelsius: null, powerWatts: null };
    await beat({ cpuPercent: 12.5, memoryUsedMb: 4_000, gpus: [{ index: 10, ...gpu }, { index: 2, ...gpu, utilisationPercent: null }] });
    const view = await eventually('the sample is stored', async () => {
      const seen = await read('?resolution=raw');
      return seen.series.length === 3 ? seen : null;
    });
    expect(view).toMatchObject({ workerId: agent.workerId, resolution: 'raw', bucketMs: null, nextFrom: null });
    expect(view.series.map(({ subject, gpuIndex }) => [subject, gpuIndex])).toEqual([['machine', null], ['gpu', 2], ['gpu', 10]]);
    const { measures, samples, at } = machine(view);
    expect(samples).toEqual([1]);
    expect(Math.abs(Date.parse(at[0] ?? '') - Date.now())).toBeLessThan(60_000);
    expect(measures['cpuPercent']).toEqual({ counts: [1], averages: [12.5], lowest: [12.5], highest: [12.5] });
    expect(measures['diskFreeMb']).toEqual({ counts: [0], averages: [null], lowest: [null], highest: [null] });
    expect(measures['latencyMs']?.averages).toEqual([null]);
    expect(view.series[1]?.measures['utilisationPercent']?.averages).toEqual([null]);
    expect(view.series[1]?.measures['memoryUsedMb']?.averages).toEqual([0]);
  });

  it('become series of attempts, read by worker and by job', async () => {
    const jobId = await harness.submit();
    const offer = await agent.nextOffer();
    await agent.start(offer);
    await beat({ attempts: [{ attemptId: offer.attemptId, cpuSeconds: 3, memoryBytes: 2 ** 40, gpuMemoryMb: null }] });
    const used = await eventually('the usage is stored', async () => (await read('', `/jobs/${jobId}`)).series[0]);
    expect(used).toMatchObject({ subject: 'attempt', attemptId: offer.attemptId, gpuIndex: null });
    expect(used.measures['memoryBytes']?.averages).toEqual([2 ** 40]);
    expect(used.measures['gpuMemoryMb']?.averages).toEqual([null]);
    expect((await read(`?attempt=${offer.attemptId}`)).series.map(({ attemptId }) => attemptId)).toEqual([offer.attemptId]);
    expect((await read('?attempt=1', `/jobs/${jobId}`)).series).toHaveLength(1);
    expect((await read('')).series.some(({ subject }) => subject === 'attempt')).toBe(false);
    await agent.end(offer);
  });
});

describe('the roll-up', () => {
  it('makes each minute once, with what was known, whoever does it and how often', async () => {
    const hour = pastHour(3);
    await addRaw([hour, hour + 1, hour + 20_000, hour + MINUTE, hour + 59 * MINUTE], (place) => ['{1,null}', '{2,null}', '{9,5}', '{null,null}', '{10,7}'][place] ?? '');
    await harness.database.execute(ROLLED_TO, [hour - HOUR]);
    await rollUp();
    const once = await harness.database.query(MINUTES);
    expect(once).toMatchObject([
      { at_ms: hour, samples: 3, counts: [3, 1], means: [4, 5], lows: [1, 5], highs: [9, 5] },
      { at_ms: hour + MINUTE, samples: 1, counts: [0, 0], means: [null, null], lows: [null, null], highs: [null, null] },
      { at_ms: hour + 59 * MINUTE, samples: 1, counts: [1, 1], means: [10, 7] },
    ]);
    const hours = await harness.database.query(HOURS);
    // Of five samples four knew the first: the mean of a minute counts as often as it had samples.
    expect(hours).toMatchObject([{ at_ms: hour, samples: 5, counts: [4, 2], means: [5.5, 6], lows: [1, 5], highs: [10, 7] }]);

    await harness.database.execute(ROLLED_TO, [hour - 2 * HOUR]);
    await rollUp();
    await rollUp();
    expect(await harness.database.query(MINUTES)).toEqual(once);
    expect(await harness.database.query(HOURS)).toEqual(hours);
  });

  it('leaves no sample out of an answer and counts none twice, wherever it stands', async () => {
    const from = pastHour(5) + 7 * MINUTE;
    const moments = Array.from({ length: 400 }, (_, index) => from + index * 41_003).filter((moment) => moment < Date.now());
    await addRaw(moments, (place) => `{${place % 100}}`);
    const all = async (query: string): Promise<number> => sum(machine(await read(`?from=${iso(from)}&${query}`)).samples);
    const queries = ['resolution=raw', 'resolution=minute', 'resolution=hour', 'points=2', 'points=30', 'points=1000'];
    const countAll = async (): Promise<void> => {
      for (const query of queries) expect([query, await all(query)]).toEqual([query, moments.length]);
    };
    await countAll();
    await rollUp();
    await countAll();
    // As if it were only so far.
    await harness.database.execute(ROLLED_TO, [pastHour(3)]);
    await countAll();
  });

  it('is owed by a partition before that is dropped', async () => {
    const hour = Math.floor((Date.now() - 3 * DAY) / HOUR) * HOUR;
    await harness.database.execute(ROLLED_TO, [hour - HOUR]);
    await harness.database.query(OLD_PIECE, [String(hour), String(hour + HOUR)]);
    await addRaw([hour + 1, hour + 2], () => '{3}');
    const retention = harness.controlPlane.app.get(RetentionSchedule);
    const partitions = async (): Promise<number | undefined> => (await harness.database.query<{ count: number }>(OLD_PARTITIONS))[0]?.count;
    await retention.tick();
    expect(await partitions()).toBe(1);
    await rollUp();
    await retention.tick();
    expect(await partitions()).toBe(0);
    const view = await read(`?from=${iso(hour)}&to=${iso(hour + MINUTE)}`);
    expect(view).toMatchObject({ resolution: 'minute', bucketMs: MINUTE });
    expect(machine(view)).toMatchObject({ samples: [2], measures: { cpuPercent: { averages: [3] } } });
  });
});

describe('an answer', () => {
  it('holds no more than it may, and the rest is read from where it ended', async () => {
    const from = pastHour(2);
    const count = SAMPLE_LIMITS.bucketsMax + 500;
    await addRaw(Array.from({ length: count }, (_, index) => from + index * 1_000), () => '{1}');
    const first = await read(`?resolution=raw&from=${iso(from)}`);
    expect(machine(first).at).toHaveLength(SAMPLE_LIMITS.bucketsMax);
    const second = await read(`?resolution=raw&from=${first.nextFrom}`);
    expect(machine(second).at).toHaveLength(500);
    expect(second.nextFrom).toBeNull();
    expect(new Set([...machine(first).at, ...machine(second).at]).size).toBe(count);
    const few = machine(await read(`?points=20&from=${iso(from)}`));
    expect(few.at.length).toBeLessThanOrEqual(20);
    expect(sum(few.samples)).toBe(count);
  });

  it('is refused, naming what is wrong', async () => {
    const worker = `/api/v1/workers/${agent.workerId}/samples`;
    const refused = async (path: string): Promise<string> => (await viewer.refused('GET', path)).detail ?? '';
    expect(await refused(`${worker}?points=1`)).toContain('?points');
    expect(await refused(`${worker}?points=1001`)).toContain('?points');
    expect(await refused(`${worker}?points=10&resolution=raw`)).toContain('?points');
    expect(await refused(`${worker}?resolution=second`)).toContain('?resolution');
    expect(await refused(`${worker}?from=yesterday`)).toContain('?from');
    expect(await refused(`${worker}?from=2026-11-22T10:00:00Z&to=2026-11-22T10:00:00Z`)).toContain('?from');
    expect(await refused(`${worker}?attempt=att_1`)).toContain('?attempt');
    expect(await viewer.refused('GET', '/api/v1/workers/wkr_01JDABCDEF0123456789ABCDEF/samples')).toMatchObject({ status: 404 });
    const jobId = await harness.submit({ needs: { gpus: 60 } });
    expect(await viewer.refused('GET', `/api/v1/jobs/${jobId}/samples`)).toMatchObject({ status: 404 });
  });

  it('is empty where nothing was heard', async () => {
    expect(await read('?from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z')).toMatchObject({ series: [], resolution: 'hour' });
    expect((await read(`?attempt=${'att_01JDABCDEF0123456789ABCDEF' as AttemptId}`)).series).toEqual([]);
  });
});

describe('a sample that cannot be taken', () => {
  it('is named, stores nothing, and does not cost the lease of anything in its beat', async () => {
    const jobId = await harness.submit();
    const offer = await agent.nextOffer();
    await agent.start(offer);
    await harness.database.execute(NEARLY_OVER, [jobId]);
    const [before] = await harness.attempts(jobId);
    const answer = await agent.ask('worker:beat', {
      session: agent.session, executions: [{ attemptId: offer.attemptId, epoch: offer.epoch, state: 'running' }], paused: false, slotsFree: 1,
      sample: { cpuPercent: 'NaN', memoryUsedMb: 1, diskFreeMb: null },
    });
    expect(answer).toMatchObject({ sampleRefused: expect.stringContaining('sample.cpuPercent'), verdicts: [{ kind: 'keep' }] });
    const [after] = await harness.attempts(jobId);
    expect(after?.lease_until?.getTime()).toBeGreaterThan(before?.lease_until?.getTime() ?? Infinity);
    // One that can be taken comes after it, in the same lane.
    await beat({ cpuPercent: 1 });
    await eventually('the next sample is stored', async () => (await read('?resolution=raw')).series[0]);
    expect(await harness.database.query(RAW_COUNT)).toEqual([{ count: 1 }]);
    await agent.end(offer);
  });
});
