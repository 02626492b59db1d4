import { eventually, type FakeAgent } from '@muster/testing';
import type { Offer, WorkerView } from '@muster/protocol';
import { sql } from '../src/database/sql.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { restAs } from './rest.js';

jest.setTimeout(120_000);

const PROGRESS = sql`select progress_fraction as fraction, progress_message as message from job where id = $1`;
const POINTS = sql`select step, "values" from metric_point where log_id = $1 order by seq`;
const SAMPLE = sql`select sample from worker where id = $1`;

const POISON = [
  sql`create function refuse_poison() returns trigger language plpgsql as 'begin
    if new."values" ->> ''lr'' = ''Infinity'' then raise exception using errcode = ''22003''; end if;
    return new;
  end'`,
  sql`create trigger poison before insert on metric_point for each row execute function refuse_poison()`,
];
const CURE = sql`drop trigger poison on metric_point`;

describe('what a running job says of itself', () => {
  let harness: Harness;
  let agent: FakeAgent;
  let offer: Offer;
  beforeAll(async () => {
    harness = await startHarness();
    agent = await harness.agent({ slots: 20 });
  });
  beforeEach(async () => {
    await harness.submit();
    offer = await agent.nextOffer();
    await agent.start(offer);
  });
  afterAll(() => harness?.stop());

  const say = (fraction: number | null, message: string | null, by = agent): Promise<unknown> =>
    by.call('attempt:progress', { attemptId: offer.attemptId, epoch: offer.epoch, fraction, message });
  const progress = () => harness.database.query(PROGRESS, [offer.jobId]);
  const points = (offset: number, rawLength: number, steps: number[]): Promise<unknown> =>
    agent.call('metrics:append', {
      attemptId: offer.attemptId, epoch: offer.epoch, offset, rawLength,
      points: steps.map((step) => ({ step, at: new Date().toISOString(), values: { loss: 1 / step, lr: 'NaN' } })),
    });

  it('shows the latest progress, also that which arrives after its end', async () => {
    await say(0.25, 'a quarter');
    expect(await progress()).toEqual([{ fraction: 0.25, message: 'a quarter' }]);
    await agent.end(offer);
    await say(1, 'done');
    expect(await progress()).toEqual([{ fraction: 1, message: 'done' }]);
  });

  it('takes no progress from another worker, and none out of range', async () => {
    const other = await harness.agent({ slots: 0 });
    await say(0.5, 'mine', other);
    expect(await progress()).toEqual([{ fraction: null, message: null }]);
    expect(await say(1.5, null)).toMatchObject({ error: { code: 'invalidMessage' } });
    other.leave();
  });

  it('keeps each metric point once, in order, by the offset in its file', async () => {
    expect(await points(0, 30, [1, 2])).toEqual({ ok: { storedLength: 30 } });
    expect(await points(0, 30, [1, 2])).toEqual({ ok: { storedLength: 30 } });
    expect(await points(60, 15, [4])).toEqual({ ok: { storedLength: 30 } });
    expect(await points(30, 15, [3])).toEqual({ ok: { storedLength: 45 } });
    expect(await harness.database.query(POINTS, [offer.attemptId])).toEqual(
      [1, 2, 3].map((step) => ({ step, values: { loss: 1 / step, lr: 'NaN' } })),
    );
  });

  it('takes moments as JavaScript reads them, and refuses what no calendar has', async () => {
    const one = (at: string, offset: number): Promise<unknown> =>
      agent.call('metrics:append', {
        attemptId: offer.attemptId, epoch: offer.epoch, offset, rawLength: 10, points: [{ step: 1, at, values: { loss: 1 } }],
      });
    expect(await one('0000-01-01T00:00:00Z', 0)).toMatchObject({ error: { code: 'invalidMessage' } });
    expect(await one('2026-13-01T00:00:00Z', 0)).toMatchObject({ error: { code: 'invalidMessage' } });
    expect(await one('2026-02-30T00:00:00Z', 0)).toEqual({ ok: { storedLength: 10 } });
    expect(await one('2026-02-01T00:00:00+01:00', 10)).toEqual({ ok: { storedLength: 20 } });
  });

  it('says of a value that PostgreSQL cannot keep that it is invalid, and keeps its neighbours', async () => {
    for (const statement of POISON) await harness.database.execute(statement);
    try {
      const other = { ...offer };
      await harness.submit();
      offer = await agent.nextOffer();
      await agent.start(offer);
      const poisoned = agent.call('metrics:append', {
        attemptId: other.attemptId, epoch: other.epoch, offset: 0, rawLength: 10,
        points: [{ step: 1, at: new Date().toISOString(), values: { lr: 'Infinity' as string & number } }],
      });
      const healthy = points(0, 30, [1]);
      expect(await healthy).toEqual({ ok: { storedLength: 30 } });
      expect(await poisoned).toMatchObject({ error: { code: 'invalidMessage' } });
      expect(await harness.database.query(POINTS, [other.attemptId])).toEqual([]);
    } finally {
      await harness.database.execute(CURE);
    }
  });

  it('leaves the machine\'s own sample to the beat, and shows a worker as broken while it tells of a fault', async () => {
    const sample = { cpuPercent: 12.5, memoryUsedMb: 1_000, diskFreeMb: null };
    await agent.call('worker:beat', { session: agent.session, executions: [], sample, paused: false, slotsFree: 1 });
    await eventually('it is stored', async () => {
      const [row] = await harness.database.query<{ sample: unknown }>(SAMPLE, [agent.workerId]);
      return row?.sample !== null;
    });
    expect(await harness.database.query(SAMPLE, [agent.workerId])).toEqual([{ sample }]);
    await showsFaults();
  });

  /** A worker is broken while its sample tells of a fault, and no longer. */
  async function showsFaults(): Promise<void> {
    const viewer = await restAs(harness, 'viewer');
    const { attemptId } = offer;
    const view = async (): Promise<WorkerView> => (await viewer.get<WorkerView>(`/workers/${agent.workerId}`)).body;
    const sample = {
      cpuPercent: 1, memoryUsedMb: 1, diskFreeMb: 1, networkSentBytesPerSecond: 10,
      gpus: [{ index: 0, utilisationPercent: null, memoryUsedMb: 5, memoryTotalMb: 10, temperatureCelsius: 40, powerWatts: null }],
      attempts: [{ attemptId, cpuSeconds: 1.5, memoryBytes: null, gpuMemoryMb: 5 }],
    };
    const detail = 'Only 3 MiB are free.';
    const beat = async (faults: readonly object[]): Promise<void> => {
      const body = { session: agent.session, executions: [], sample: { ...sample, faults }, paused: false, slotsFree: 1 };
      expect(await agent.call('worker:beat', body)).toHaveProperty('ok');
    };
    await beat([{ code: 'diskFloor', detail }, { code: 'ofTheFuture', detail }]);
    const broken = await eventually('it is shown', async () => {
      const shown = await view();
      return shown.status === 'error' && shown;
    });
    expect(broken.sample).toEqual({ ...sample, faults: [{ code: 'diskFloor', detail }] });
    await beat([]);
    await eventually('it is well again', async () => (await view()).status !== 'error');
  }
});
