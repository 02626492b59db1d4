import type { EventView, ExplainView, JobId, JobView, Offer, Page } from '@muster/protocol';
import { eventually, type FakeAgent } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { restAs, type Rest } from './rest.js';

jest.setTimeout(180_000);

const SILENCE = sql`update worker set last_beat_at = last_beat_at - interval '1 hour' where id = $1`;
const EXPIRE = sql`update attempt set lease_until = now() - interval '1 second' where id = $1 and state <> 'ended'`;
const ASK_FOR_CHECKPOINT = sql`update job set spec = jsonb_set(spec, '{pause}', '"checkpoint"') where id = $1`;
const MOVE_QUEUE_LIMIT = sql`update job set queue_until = now() - interval '1 second' where id = $1`;
const QUEUE_LIMIT = sql`select extract(epoch from queue_until - now())::double precision as left_seconds from job where id = $1`;

let harness: Harness;
let ada: Rest;
beforeAll(async () => {
  harness = await startHarness();
  ada = await restAs(harness, 'submitter', 'ada');
});
afterAll(() => harness?.stop());

const shown = async (id: JobId): Promise<JobView> => (await ada.get<JobView>(`/jobs/${id}`)).body;
const pause = (id: JobId, body: object = {}) => ada.post<JobView>(`/jobs/${id}/pause`, body);
const resume = (id: JobId) => ada.post<JobView>(`/jobs/${id}/resume`);

async function running(): Promise<{ agent: FakeAgent; offer: Offer; jobId: JobId }> {
  const agent = await harness.agent({ slots: 1 });
  await harness.submit();
  const offer = await agent.nextOffer();
  expect(await agent.start(offer)).toMatchObject({ kind: 'go' });
  return { agent, offer, jobId: offer.jobId };
}

/** A job whose worker has reported it frozen. */
async function frozen(): Promise<{ agent: FakeAgent; offer: Offer; jobId: JobId }> {
  const held = await running();
  await pause(held.jobId);
  await held.agent.beat([report(held.offer, 'paused')]);
  return held;
}

const report = ({ attemptId, epoch }: Offer, state: 'running' | 'paused') => ({ attemptId, epoch, state });

describe('pausing a job that runs', () => {
  it('tells its worker at once and with every beat, and it is paused when the worker says so', async () => {
    const { agent, offer, jobId } = await running();
    await agent.beat([report(offer, 'running')]);
    const answer = await pause(jobId, { reason: 'demo' });
    expect(answer).toMatchObject({ status: 200, body: { status: 'running', desired: 'pause', reason: 'pausing', allowedActions: ['cancel', 'forceCancel', 'resume'] } });
    const [command] = await eventually('the command', () => (agent.commands.length > 0 ? agent.commands : null));
    expect(command).toMatchObject({ attemptId: offer.attemptId, command: { kind: 'freeze', reason: 'paused' } });
    expect((await agent.beat([report(offer, 'running')])).verdicts).toMatchObject([{ kind: 'keep', command: { kind: 'freeze' } }]);

    expect((await agent.beat([report(offer, 'paused')])).verdicts).toMatchObject([{ kind: 'keep', command: null }]);
    expect(await shown(jobId)).toMatchObject({ status: 'paused', desired: 'pause', reason: 'frozen', currentAttemptId: offer.attemptId });
    expect((await ada.get<ExplainView>(`/jobs/${jobId}/explain`)).body.reasonText.action).toContain('muster resume');
    expect(await pause(jobId)).toMatchObject({ status: 200, body: { status: 'paused', reason: 'frozen' } });

    expect((await resume(jobId)).body).toMatchObject({ status: 'paused', desired: 'run', reason: 'resuming' });
    expect((await agent.beat([report(offer, 'paused')])).verdicts).toMatchObject([{ kind: 'keep', command: { kind: 'thaw' } }]);
    await agent.beat([report(offer, 'running')]);
    expect(await shown(jobId)).toMatchObject({ status: 'running', reason: 'running' });
    expect(await agent.end(offer)).toEqual({ kind: 'accepted' });
    expect(await shown(jobId)).toMatchObject({ status: 'completed' });
    const { data } = (await ada.get<Page<EventView>>(`/jobs/${jobId}/events`)).body;
    expect(data.map(({ type }) => type).filter((type) => /pause|resume/.test(type))).toEqual(['job.pauseRequested', 'job.paused', 'job.resumeRequested', 'job.resumed']);
    expect(data.find(({ type }) => type === 'job.pauseRequested')).toMatchObject({ actor: 'ada', data: { note: 'demo' } });
    agent.leave();
  });

  it('keeps its slot: nobody else is offered it', async () => {
    const { agent, offer, jobId } = await frozen();
    const next = await harness.submit();
    await eventually('the next waits', async () => {
      await agent.beat([report(offer, 'paused')]);
      return (await shown(next)).reason === 'slotsFull';
    });
    await resume(jobId);
    await agent.end(offer);
    await agent.beat();
    expect(await agent.nextOffer()).toMatchObject({ jobId: next });
    await ada.post(`/jobs/${next}/cancel`);
    agent.leave();
  });

  it('and cancelling it then has it stopped', async () => {
    const { agent, offer, jobId } = await frozen();
    expect((await ada.post<JobView>(`/jobs/${jobId}/cancel`)).body).toMatchObject({ status: 'paused', desired: 'cancel', reason: 'cancelling' });
    expect((await agent.beat([report(offer, 'paused')])).verdicts).toMatchObject([{ command: { kind: 'stop' } }]);
    for (const action of ['pause', 'resume']) {
      const problem = await ada.refused('POST', `/api/v1/jobs/${jobId}/${action}`);
      expect(problem).toMatchObject({ status: 409, code: 'illegalTransition', currentState: 'paused', allowedActions: ['forceCancel'] });
      expect([problem.detail, problem.hint]).toEqual([expect.stringContaining('being cancelled'), expect.any(String)]);
    }
    await agent.end(offer, { outcome: 'cancelled', exit: null });
    expect(await shown(jobId)).toMatchObject({ status: 'cancelled' });
    agent.leave();
  });

  it('is held when its worker is lost, offered to nobody, and taken on again frozen when the worker is back', async () => {
    const agent = await harness.agent({ slots: 1 });
    const jobId = await harness.submit({ disconnect: { lostAfterSeconds: 1, onWorkerLost: 'requeue', exclusive: false } });
    const offer = await agent.nextOffer();
    await agent.start(offer);
    await pause(jobId);
    await agent.beat([report(offer, 'paused')]);
    agent.leave();
    await harness.database.execute(EXPIRE, [offer.attemptId]);
    await eventually('it is held', async () => (await shown(jobId)).reason === 'held');
    const other = await harness.agent({ slots: 1 });
    await harness.submit();
    const next = await other.nextOffer();
    expect(next.jobId).not.toBe(jobId);
    await agent.reconnect();
    expect((await agent.hello([report(offer, 'paused')])).verdicts).toMatchObject([{ kind: 'reclaimed' }]);
    expect(await shown(jobId)).toMatchObject({ status: 'paused', reason: 'frozen', desired: 'pause' });
    await ada.post(`/jobs/${next.jobId}/cancel`);
    agent.leave();
    other.leave();
  });

  it('shows that its worker is silent, and what can be done about it', async () => {
    const agent = await harness.agent({ slots: 1 });
    const jobId = await harness.submit({ disconnect: { lostAfterSeconds: 60, onWorkerLost: 'wait', exclusive: false } });
    const offer = await agent.nextOffer();
    await agent.start(offer);
    await pause(jobId);
    await agent.beat([report(offer, 'paused')]);
    agent.leave();
    await harness.database.execute(SILENCE, [agent.workerId]);
    await eventually('it is unreachable', async () => (await shown(jobId)).workerLink === 'unreachable');
    expect(await shown(jobId)).toMatchObject({ status: 'paused', reason: 'workerUnreachable', allowedActions: ['cancel', 'forceCancel', 'resume', 'requeue', 'abandon'] });
    expect((await ada.post<JobView>(`/jobs/${jobId}/requeue`)).body).toMatchObject({ status: 'paused', reason: 'held', allowedActions: ['cancel', 'resume'] });
    await ada.post(`/jobs/${jobId}/cancel`);
  });
});

describe('pausing a job that does not run', () => {
  it('holds it out of line until it is resumed, while others go past it', async () => {
    const held = await harness.submit();
    expect(await pause(held)).toMatchObject({ status: 200, body: { status: 'paused', reason: 'held', allowedActions: ['cancel', 'resume'] } });
    const younger = await harness.submit();
    const agent = await harness.agent({ slots: 2 });
    const first = await agent.nextOffer();
    expect(first.jobId).toBe(younger);
    await agent.beat();
    expect((await resume(held)).body).toMatchObject({ status: 'queued', desired: 'run' });
    const second = await agent.nextOffer();
    expect(second.jobId).toBe(held);
    for (const offer of [first, second]) {
      await agent.start(offer);
      await agent.end(offer);
    }
    agent.leave();
  });

  it('withdraws an offer that was not taken up, and its start is refused', async () => {
    const agent = await harness.agent({ slots: 1 });
    const jobId = await harness.submit();
    const offer = await agent.nextOffer();
    expect((await pause(jobId)).body).toMatchObject({ status: 'paused', reason: 'held', currentAttemptId: null });
    await eventually('the withdrawal', () => agent.withdrawn.some(({ attemptId }) => attemptId === offer.attemptId));
    expect(await agent.start(offer)).toEqual({ kind: 'no', reason: 'superseded' });
    await ada.post(`/jobs/${jobId}/cancel`);
    agent.leave();
  });

  it('stops its queue limit, which begins anew when it is resumed', async () => {
    const jobId = await harness.submit({ limits: { queueSeconds: 600 } });
    await pause(jobId);
    await harness.database.execute(MOVE_QUEUE_LIMIT, [jobId]);
    await resume(jobId);
    const [row] = await harness.database.query<{ left_seconds: number }>(QUEUE_LIMIT, [jobId]);
    expect(row?.left_seconds).toBeGreaterThan(500);
    expect(await shown(jobId)).toMatchObject({ status: 'queued' });
    await ada.post(`/jobs/${jobId}/cancel`);
  });
});

describe('a pause that cannot be', () => {
  it('of a final job answers 409 with what is allowed', async () => {
    const jobId = await harness.submit();
    await ada.post(`/jobs/${jobId}/cancel`);
    for (const action of ['pause', 'resume']) {
      expect(await ada.refused('POST', `/api/v1/jobs/${jobId}/${action}`)).toMatchObject({ status: 409, currentState: 'cancelled', allowedActions: [] });
    }
  });

  it('of a job that asks for a checkpoint is refused by name, at submit and later', async () => {
    const body = { run: { command: ['true'] }, pause: 'checkpoint' };
    expect(await ada.refused('POST', '/api/v1/jobs', { body })).toMatchObject({ status: 400, errors: [{ pointer: '/pause', detail: expect.stringContaining('checkpoint is not supported') }] });
    const jobId = await harness.submit();
    await harness.database.execute(ASK_FOR_CHECKPOINT, [jobId]);
    expect(await ada.refused('POST', `/api/v1/jobs/${jobId}/pause`)).toMatchObject({
      status: 409, detail: expect.stringContaining('`pause: checkpoint`'), currentState: 'queued', allowedActions: ['cancel'],
    });
    expect(await shown(jobId)).toMatchObject({ desired: 'run' });
    await ada.post(`/jobs/${jobId}/cancel`);
  });

  it('of somebody else is an operator\'s to do', async () => {
    const jobId = await harness.submit();
    const [bob, operator] = [await restAs(harness, 'submitter', 'bob'), await restAs(harness, 'operator')];
    for (const action of ['pause', 'resume']) {
      expect(await bob.refused('POST', `/api/v1/jobs/${jobId}/${action}`)).toMatchObject({ status: 403, code: 'forbidden' });
      expect(await operator.post(`/jobs/${jobId}/${action}`)).toMatchObject({ status: 200 });
    }
    await ada.post(`/jobs/${jobId}/cancel`);
  });
});
