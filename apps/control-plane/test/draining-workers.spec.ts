import type { EventView, ExplainView, JobId, Offer, Page, WorkerId, WorkerView } from '@muster/protocol';
import { eventually, FakeAgent } from '@muster/testing';
import { Dispatcher } from '../src/dispatch/dispatcher.js';
import { sql } from '../src/database/sql.js';
import { WatchSchedule } from '../src/workers/watch.schedule.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { Rest, restAs } from './rest.js';

jest.setTimeout(180_000);

const DEADLINE_SECONDS = 3_600;
const WORKER_HOLD = sql`select id from worker where id = $1 for no key update`;
/** What waits for a lock on connections of this name. */
const WAITING_FOR_LOCKS = sql`
  select pid
  from pg_stat_activity
  where datname = current_database()
    and application_name = $1
    and wait_event_type = 'Lock'
`;
/** Its deadline is as long ago as its beginning. */
const DEADLINE_PASSES = sql`update worker set maintenance = jsonb_set(maintenance, '{deadlineMs}', maintenance -> 'startedMs') where id = $1`;

let harness: Harness;
let operator: Rest;
beforeAll(async () => {
  harness = await startHarness();
  operator = await restAs(harness, 'operator', 'olga');
});
afterAll(() => harness?.stop());

const order = (id: WorkerId, what: string, body: object = {}, as = operator) => as.post<WorkerView>(`/workers/${id}/${what}`, body);
const shown = async (id: WorkerId): Promise<WorkerView> => (await operator.get<WorkerView>(`/workers/${id}`)).body;
const report = ({ attemptId, epoch }: Offer, state: 'running' | 'exited' = 'running') => ({ attemptId, epoch, state });
async function passDeadline(id: WorkerId): Promise<void> {
  await harness.database.execute(DEADLINE_PASSES, [id]);
  await harness.controlPlane.app.get(WatchSchedule).watch();
}
const typesOf = async (id: WorkerId): Promise<string[]> =>
  (await operator.get<Page<EventView>>(`/workers/${id}/events?limit=200`)).body.data.map(({ type }) => type);

async function idle(slots = 1): Promise<{ agent: FakeAgent; id: WorkerId }> {
  const agent = await harness.agent({ slots });
  return { agent, id: agent.workerId as WorkerId };
}

async function running(retry?: { never: boolean }): Promise<{ agent: FakeAgent; id: WorkerId; offer: Offer; jobId: JobId }> {
  const { agent, id } = await idle();
  await harness.submit({ ...(retry === undefined ? {} : { retry }), needs: {} });
  const offer = await agent.nextOffer();
  expect(await agent.start(offer)).toMatchObject({ kind: 'go' });
  return { agent, id, offer, jobId: offer.jobId };
}

/** Ends what was begun, so that the next test finds nobody waiting and no other worker. */
async function leave(agent: FakeAgent): Promise<void> {
  agent.leave();
  await operator.send('DELETE', `/api/v1/workers/${agent.workerId}?force=true`);
}

describe('a cordoned worker', () => {
  it('is in maintenance, with why, by whom and since when, until that is taken back', async () => {
    const { agent, id } = await idle();
    const { status, body } = await order(id, 'cordon', { reason: 'new disk' });
    expect([status, body]).toMatchObject([200, { status: 'maintenance', maintenance: { reason: 'new disk', by: 'olga' }, drain: null, available: false }]);
    expect((await order(id, 'cordon', { reason: 'new disk' })).body.maintenance).toEqual(body.maintenance);
    expect((await order(id, 'undrain')).body).toMatchObject({ status: 'online', maintenance: null });
    expect(await typesOf(id)).toEqual(['worker.registered', 'worker.connected', 'worker.cordoned', 'worker.undrained']);
    await leave(agent);
  });

  it('is offered nothing, which the explanation says with the reason, and goes on with what it has', async () => {
    const { agent, id, offer } = await running();
    await order(id, 'cordon', { reason: 'new disk' });
    const next = await harness.submit();
    expect(await agent.end(offer)).toEqual({ kind: 'accepted' });
    await agent.beat();
    await harness.controlPlane.app.get(Dispatcher).tick();
    expect(agent.offers).toEqual([]);
    const { body } = await operator.get<ExplainView>(`/jobs/${next}/explain`);
    expect(body.perWorker.find(({ workerId }) => workerId === id)?.reasons).toEqual(['fits, but is cordoned by olga: new disk']);
    expect(body.detail).toContain('is cordoned by olga: new disk');
    await order(id, 'undrain');
    const taken = await agent.nextOffer();
    expect(taken.jobId).toBe(next);
    await agent.start(taken);
    await agent.end(taken);
    await leave(agent);
  });

  it('gives back the offer that was not taken up, free of charge', async () => {
    const { agent, id } = await idle();
    const jobId = await harness.submit();
    const offer = await agent.nextOffer();
    await order(id, 'cordon');
    expect(await agent.start(offer)).toMatchObject({ kind: 'no', reason: 'superseded' });
    expect(await eventually('the withdrawal', () => agent.withdrawn[0])).toMatchObject({ attemptId: offer.attemptId });
    expect(await harness.job(jobId)).toMatchObject({ status: 'queued', attempt_count: 1 });
    expect(await harness.attempts(jobId)).toMatchObject([{ outcome: 'superseded' }]);
    await operator.post(`/jobs/${jobId}/cancel`);
    await leave(agent);
  });
});

describe('an order while a claim is on its way', () => {
  it('either comes first, and the claim finds nobody, or takes its offer back', async () => {
    const { agent, id } = await idle(4);
    const held = harness.database.transaction(async (connection) => {
      const waits = (what: string, pool: string): Promise<unknown> =>
        eventually(`${what} waits`, async () => {
          // A transaction in which nothing is said is ended by the server after a while.
          await connection.query(WORKER_HOLD, [id]);
          return (await harness.database.query(WAITING_FOR_LOCKS, [`muster ${pool}`])).length > 0;
        });
      await connection.query(WORKER_HOLD, [id]);
      // Both now stand behind this lock, the order and the claim, in the order in which they came.
      const ordered = order(id, 'drain');
      await waits('the order', 'transitions');
      const jobIds = await harness.submitMany(4);
      const claimed = harness.controlPlane.app.get(Dispatcher).tick();
      await waits('the claim', 'dispatch');
      return { ordered, claimed, jobIds };
    });
    const { ordered, claimed, jobIds } = await held;
    expect((await ordered).body).toMatchObject({ status: 'maintenance', slotsUsed: 0 });
    await claimed;
    for (const jobId of jobIds) {
      expect((await harness.job(jobId)).status).toBe('queued');
      await operator.post(`/jobs/${jobId}/cancel`);
    }
    expect((await shown(id)).slotsUsed).toBe(0);
    await leave(agent);
  });
});

describe('a drain', () => {
  it('of an idle worker is over at once', async () => {
    const { agent, id } = await idle();
    expect((await order(id, 'drain', { reason: 'move' })).body.drain).toMatchObject({ policy: 'wait', state: 'drained', jobsAtStart: 0, jobsLeft: 0, by: 'olga', reason: 'move', deadlineAt: null });
    expect((await typesOf(id)).slice(-2)).toEqual(['worker.drainStarted', 'worker.drained']);
    await leave(agent);
  });

  it('that waits lets jobs end, says how many are left, and raises an alert at its deadline', async () => {
    const { agent, id, offer, jobId } = await running();
    const { body } = await order(id, 'drain', { policy: 'wait', deadlineSeconds: DEADLINE_SECONDS });
    expect(body.drain).toMatchObject({ state: 'draining', jobsAtStart: 1, jobsLeft: 1, isOverdue: false });
    expect(Date.parse(body.drain?.deadlineAt ?? '') - Date.parse(body.drain?.startedAt ?? '')).toBe(DEADLINE_SECONDS * 1_000);
    await harness.controlPlane.app.get(WatchSchedule).watch();
    expect((await shown(id)).drain).toMatchObject({ isOverdue: false });
    await passDeadline(id);
    await eventually('the alert', async () => (await typesOf(id)).includes('alert.drainOverdue'));
    expect((await agent.beat([report(offer)])).verdicts).toMatchObject([{ kind: 'keep', command: null }]);
    expect((await shown(id)).drain).toMatchObject({ state: 'draining', jobsLeft: 1, isOverdue: true });
    expect(await agent.end(offer)).toEqual({ kind: 'accepted' });
    expect((await harness.job(jobId)).status).toBe('completed');
    await eventually('it is drained', async () => (await shown(id)).drain?.state === 'drained');
    expect((await typesOf(id)).filter((type) => /drain/i.test(type))).toEqual(['worker.drainStarted', 'alert.drainOverdue', 'worker.drained']);
    await leave(agent);
  });

  it('with requeue stops at its deadline what still runs, and no retry is spent by that', async () => {
    const { agent, id, offer, jobId } = await running();
    await order(id, 'drain', { policy: 'requeue', deadlineSeconds: DEADLINE_SECONDS });
    await harness.controlPlane.app.get(WatchSchedule).watch();
    expect((await agent.beat([report(offer)])).verdicts).toMatchObject([{ kind: 'keep', command: null }]);
    expect(agent.commands).toEqual([]);
    await passDeadline(id);
    const { command } = await eventually('the command', () => agent.commands[0]);
    expect(command).toMatchObject({ kind: 'stop', isPlanned: true, graceSeconds: 10 });
    expect((await agent.beat([report(offer)])).verdicts).toMatchObject([{ command: { kind: 'stop', isPlanned: true } }]);
    expect(await agent.end(offer, { outcome: 'stopped', exit: { code: null, signal: 'SIGTERM' } })).toEqual({ kind: 'accepted' });
    expect(await harness.job(jobId)).toMatchObject({ status: 'queued', reason: 'workerStopped' });
    await eventually('it is drained', async () => (await shown(id)).drain?.state === 'drained');
    await harness.controlPlane.app.get(Dispatcher).tick();
    expect(agent.offers).toEqual([]);

    const { agent: other } = await idle();
    expect(await other.nextOffer()).toMatchObject({ jobId, number: 2 });
    await operator.post(`/jobs/${jobId}/cancel`);
    for (const one of [agent, other]) await leave(one);
  });

  it('understands an agent that takes its stop for a cancellation', async () => {
    const { agent, id, offer, jobId } = await running();
    await order(id, 'drain', { policy: 'requeue', deadlineSeconds: 0 });
    await eventually('the command', () => agent.commands[0]);
    await agent.end(offer, { outcome: 'cancelled', exit: { code: null, signal: 'SIGTERM' } });
    expect(await harness.job(jobId)).toMatchObject({ status: 'queued' });
    expect(await harness.attempts(jobId)).toMatchObject([{ outcome: 'stopped' }]);
    await operator.post(`/jobs/${jobId}/cancel`);
    await leave(agent);
  });

  it('that is taken back in the middle stops nothing more', async () => {
    const { agent, id, offer, jobId } = await running();
    await order(id, 'drain', { policy: 'requeue', deadlineSeconds: DEADLINE_SECONDS });
    expect((await order(id, 'undrain')).body).toMatchObject({ status: 'busy', drain: null });
    expect((await agent.beat([report(offer)])).verdicts).toMatchObject([{ kind: 'keep', command: null }]);
    expect(await agent.end(offer)).toEqual({ kind: 'accepted' });
    expect((await harness.job(jobId)).status).toBe('completed');
    await leave(agent);
  });

  it('ordered again goes on with the new terms', async () => {
    const { agent, id, offer } = await running();
    const first = (await order(id, 'drain', { policy: 'wait' })).body.drain;
    const second = (await order(id, 'drain', { policy: 'requeue', deadlineSeconds: 0, reason: 'now' })).body.drain;
    expect(second).toMatchObject({ policy: 'requeue', reason: 'now', isOverdue: true, startedAt: first?.startedAt, jobsAtStart: 1 });
    await eventually('the command', () => agent.commands[0]);
    await agent.end(offer, { outcome: 'stopped' });
    await operator.post(`/jobs/${offer.jobId}/cancel`);
    await leave(agent);
  });

  it('is ordered through any replica, and its deadline outlives the one that took it', async () => {
    const second = await harness.startReplica();
    const { agent, id, offer } = await running();
    const elsewhere = new Rest(second.url, operator.key);
    expect((await order(id, 'drain', { policy: 'requeue', deadlineSeconds: DEADLINE_SECONDS }, elsewhere)).status).toBe(200);
    await second.stop();
    await passDeadline(id);
    const { command } = await eventually('the command', () => agent.commands[0]);
    expect(command).toMatchObject({ kind: 'stop', isPlanned: true });
    await agent.end(offer, { outcome: 'stopped' });
    await operator.post(`/jobs/${offer.jobId}/cancel`);
    await leave(agent);
  });

  it('is kept by the database alone: a control plane that was not there at the deadline acts on it when it is back', async () => {
    const own = await startHarness();
    try {
      const olga = await restAs(own, 'operator', 'olga');
      const agent = await own.agent({ slots: 1 });
      await own.submit();
      const offer = await agent.nextOffer();
      await agent.start(offer);
      await order(agent.workerId as WorkerId, 'drain', { policy: 'requeue', deadlineSeconds: DEADLINE_SECONDS }, olga);
      await own.controlPlane.stop();
      await own.database.execute(DEADLINE_PASSES, [agent.workerId]);
      const back = await own.startReplica();
      const again = new FakeAgent({ ...agent.options, url: back.url, machineId: agent.machineId });
      Object.assign(again, { instanceId: agent.instanceId, workerId: agent.workerId, session: agent.session });
      await again.connect();
      await again.hello([report(offer)]);
      const stopped = await eventually('the order', async () => {
        await back.app.get(WatchSchedule).watch();
        return (await again.beat([report(offer)])).verdicts.find((verdict) => verdict.kind === 'keep' && verdict.command !== null);
      });
      expect(stopped).toMatchObject({ command: { kind: 'stop', isPlanned: true } });
      await again.end(offer, { outcome: 'stopped' });
      expect(await own.job(offer.jobId)).toMatchObject({ status: 'queued' });
      again.leave();
    } finally {
      await own.stop();
    }
  });
});
