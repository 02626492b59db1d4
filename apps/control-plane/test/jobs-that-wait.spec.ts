import type { JobId, JobView, Offer, WorkerView } from '@muster/protocol';
import { eventually, type FakeAgent } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { restAs, type Rest } from './rest.js';

jest.setTimeout(180_000);

const WAIT = { disconnect: { lostAfterSeconds: 60, onWorkerLost: 'wait', exclusive: false } } as const;

const SILENCE = sql`update worker set last_beat_at = last_beat_at - interval '1 hour' where id = $1`;

let harness: Harness;
let ada: Rest;
beforeAll(async () => {
  harness = await startHarness();
  ada = await restAs(harness, 'submitter', 'ada');
});
afterAll(() => harness?.stop());

const shown = async (id: JobId): Promise<JobView> => (await ada.get<JobView>(`/jobs/${id}`)).body;

async function running(job: Parameters<Harness['submit']>[0] = WAIT): Promise<{ agent: FakeAgent; offer: Offer }> {
  const agent = await harness.agent({ slots: 1 });
  await harness.submit(job);
  const offer = await agent.nextOffer();
  expect(await agent.start(offer)).toMatchObject({ kind: 'go' });
  return { agent, offer };
}

/** A job of policy `wait` whose worker is gone. */
async function waiting(): Promise<{ agent: FakeAgent; offer: Offer; jobId: JobId }> {
  const { agent, offer } = await running();
  agent.leave();
  await harness.database.execute(SILENCE, [agent.workerId]);
  await eventually('its worker is unreachable', async () => (await shown(offer.jobId)).workerLink === 'unreachable');
  return { agent, offer, jobId: offer.jobId };
}

describe('a job that waits for its worker', () => {
  it('is taken back, runs on another worker, and the first one is told to stop', async () => {
    const { agent, offer, jobId } = await waiting();
    expect(await shown(jobId)).toMatchObject({ reason: 'workerUnreachable', allowedActions: ['cancel', 'forceCancel', 'pause', 'requeue', 'abandon'] });
    const answer = await ada.post<JobView>(`/jobs/${jobId}/requeue`);
    expect(answer).toMatchObject({ status: 200, body: { status: 'queued' } });

    const other = await harness.agent({ slots: 1 });
    const again = await other.nextOffer();
    expect(again).toMatchObject({ jobId, number: 2 });
    await other.start(again);
    await agent.reconnect();
    const ack = await agent.hello([{ attemptId: offer.attemptId, epoch: offer.epoch, state: 'running' }]);
    expect(ack.verdicts).toMatchObject([{ kind: 'stop', reason: 'superseded' }]);
    expect(await other.end(again)).toEqual({ kind: 'accepted' });
    expect(await shown(jobId)).toMatchObject({ status: 'completed' });
    const counters = async (of: FakeAgent): Promise<object> => (await ada.get<WorkerView>(`/workers/${of.workerId}`)).body.counters;
    expect(await counters(agent)).toMatchObject({ completed: 0, failed: 0, averageSeconds: null });
    expect(await counters(other)).toMatchObject({ completed: 1, failed: 0, averageSeconds: expect.any(Number) });
    agent.leave();
    other.leave();
  });

  it('is given up, with the name of who did it', async () => {
    const { jobId } = await waiting();
    const answer = await ada.post<JobView>(`/jobs/${jobId}/abandon`);
    expect(answer).toMatchObject({ status: 200, body: { status: 'failed', reason: 'abandoned', allowedActions: [] } });
    expect(answer.body.reasonDetail).toContain('given up by ada');
    expect(await ada.refused('POST', `/api/v1/jobs/${jobId}/abandon`)).toMatchObject({
      status: 409, code: 'illegalTransition', currentState: 'failed', allowedActions: [],
    });
  });

  it('says, once it is cancelled, that nobody hears it and how to end it', async () => {
    const { jobId } = await waiting();
    const asked = await ada.post<JobView>(`/jobs/${jobId}/cancel`);
    expect(asked.body).toMatchObject({ status: 'running', reason: 'cancelling', allowedActions: ['forceCancel', 'abandon'] });
    expect(asked.body.reasonText.action).toContain('muster abandon');
    expect((await ada.post<JobView>(`/jobs/${jobId}/abandon`)).body).toMatchObject({ status: 'cancelled', reason: 'abandoned' });
  });
});

describe('a job whose worker answers', () => {
  it.each(['requeue', 'abandon'])('is not given to %s: 409 with what is allowed', async (action) => {
    const { agent, offer } = await running();
    expect(await ada.refused('POST', `/api/v1/jobs/${offer.jobId}/${action}`)).toMatchObject({
      status: 409, code: 'illegalTransition', currentState: 'running', allowedActions: ['cancel', 'forceCancel', 'pause'],
    });
    expect(await shown(offer.jobId)).toMatchObject({ status: 'running', desired: 'run' });
    await agent.end(offer);
    agent.leave();
  });

  it('belongs to its owner and to operators', async () => {
    const { agent, offer } = await running();
    const bob = await restAs(harness, 'submitter', 'bob');
    const operator = await restAs(harness, 'operator');
    expect(await bob.refused('POST', `/api/v1/jobs/${offer.jobId}/abandon`)).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await operator.refused('POST', `/api/v1/jobs/${offer.jobId}/abandon`)).toMatchObject({ status: 409 });
    expect(await operator.refused('POST', '/api/v1/jobs/job_01JDABCDEF0123456789ABCDEF/requeue')).toMatchObject({ status: 404 });
    await agent.end(offer);
    agent.leave();
  });
});
