/** Workers without a socket: the same leases, over real HTTP. */
import { once } from 'node:events';
import { request, type IncomingMessage, type Server } from 'node:http';
import { eventually } from '@muster/testing';
import { JobTokens } from '../src/keys/job-tokens.js';
import { Dispatcher } from '../src/dispatch/dispatcher.js';
import { WaitingClaims } from '../src/http-workers/waiting-claims.js';
import { PATIENT_LEASE_MS, startHarness, type Harness } from './control-plane-harness.js';
import { EXTERNAL, HttpWorker } from './http-worker.js';
import { restAs } from './rest.js';

let harness: Harness;
beforeAll(async () => {
  // Claims that are not begun stay claimed: those of one test are nobody's in the next.
  harness = await startHarness();
});
afterAll(() => harness?.stop());
afterEach(() => jest.restoreAllMocks());

const waitingAt = (replica = harness.controlPlane): WaitingClaims => replica.app.get(WaitingClaims);
const whenWaiting = (count: number, replica = harness.controlPlane): Promise<unknown> =>
  eventually(`${count} requests wait`, () => waitingAt(replica).size === count);

describe('a life over HTTP', () => {
  it('goes from registering to a completed job with its log, metrics, progress and result', async () => {
    const worker = await HttpWorker.register(harness, { name: 'whole-life' });
    const asking = worker.claim();
    await whenWaiting(1);
    const jobId = await harness.submit(EXTERNAL);
    const claimed = await asking;
    expect(claimed.claim).toMatchObject({ job: { id: jobId, spec: EXTERNAL }, attempt: { number: 1, epoch: 1, gpus: [], offerTtlMs: 600_000 }, jobToken: expect.stringMatching(/^mst_job_/) });
    expect((await harness.job(jobId)).status).toBe('assigned');
    expect((await claimed.start()).body).toEqual({ kind: 'go', leaseMs: PATIENT_LEASE_MS });
    expect((await worker.beat({ executions: [claimed.execution], sample: { cpuPercent: 12.5 } })).body).toMatchObject({ verdicts: [{ kind: 'keep' }], commands: [] });
    expect((await claimed.log(0, 'step 1\n')).body).toEqual({ storedLength: 7 });
    expect((await claimed.call('metrics', { offset: 0, points: [{ step: 1, values: { loss: 0.3 } }] })).body).toEqual({ storedLength: 1 });
    expect((await claimed.call('progress', { fraction: 0.5, message: 'half' })).body).toEqual({});
    expect((await claimed.complete({ outcome: 'succeeded', result: { accuracy: 0.97 } })).body).toEqual({ kind: 'accepted' });
    // Its log goes on after the end, as a worker sends it that tells the end first.
    expect((await claimed.log(7, 'bye\n')).body).toEqual({ storedLength: 11 });
    const viewer = await restAs(harness, 'viewer');
    expect((await viewer.get(`/jobs/${jobId}`)).body).toMatchObject({ status: 'completed', result: { accuracy: 0.97 }, exitCode: 0, workerName: 'whole-life', progress: { fraction: 0.5 } });
    expect((await viewer.get(`/jobs/${jobId}/logs/download`)).text).toBe('step 1\nbye\n');
    expect((await viewer.get(`/jobs/${jobId}/metrics`)).body).toMatchObject({ data: [{ step: 1, values: { loss: 0.3 } }] });
    // Neither the sample nor the count is part of what was acknowledged.
    await eventually('the worker shows its sample and its job', async () => {
      expect((await viewer.get(`/workers/${worker.id}`)).body).toMatchObject({ status: 'online', sample: { cpuPercent: 12.5 }, counters: { completed: 1 } });
      return true;
    });
  });

  it('answers 204 when there is no job, at once when it does not wait', async () => {
    const worker = await HttpWorker.register(harness, { name: 'idle' });
    expect(await worker.ask(0)).toMatchObject({ status: 204, text: '' });
    expect(await worker.ask(1)).toMatchObject({ status: 204, text: '' });
    expect(waitingAt().size).toBe(0);
  });

  it('finds a job that waits already, without waiting', async () => {
    const worker = await HttpWorker.register(harness, { name: 'prompt' });
    const jobId = await harness.submit(EXTERNAL);
    expect((await worker.claim(0)).jobId).toBe(jobId);
  });

  it('is known by its machine again, and begins anew after a 404', async () => {
    const before = await HttpWorker.register(harness, { name: 'again' });
    expect((await HttpWorker.register(harness, { name: 'again' })).id).toBe(before.id);
    const answer = await before.rest.post('/workers/wkr_01JDABCDEF0123456789ABCDEF/heartbeat', {});
    expect(answer).toMatchObject({ status: 404, body: { code: 'notFound' } });
    const after = await HttpWorker.register(harness, { name: 'again' });
    expect((await after.beat()).status).toBe(200);
  });

  it('is told to stop what was cancelled, and is believed that it did', async () => {
    const worker = await HttpWorker.register(harness, { name: 'stopper' });
    const jobId = await harness.submit(EXTERNAL);
    const claimed = await worker.take();
    expect((await (await restAs(harness, 'admin')).post(`/jobs/${jobId}/cancel`, {})).status).toBe(202);
    const { body } = await worker.beat({ executions: [claimed.execution] });
    expect(body.commands).toEqual([{ attemptId: claimed.attemptId, epoch: 1, kind: 'stop', graceSeconds: 10, reason: 'cancelled' }]);
    expect((await claimed.renew()).body).toMatchObject({ verdict: { kind: 'keep' }, commands: [{ kind: 'stop' }] });
    expect((await claimed.complete({ outcome: 'cancelled' })).body).toEqual({ kind: 'accepted' });
    expect((await harness.job(jobId)).status).toBe('cancelled');
  });

  it('gives a job that failed its words, as they are', async () => {
    const worker = await HttpWorker.register(harness, { name: 'failer' });
    const jobId = await harness.submit(EXTERNAL);
    const claimed = await worker.take();
    const detail = `Traceback:\n${'ä'.repeat(5_000)}\n`;
    await claimed.complete({ outcome: 'failed', exitCode: 3, detail });
    expect(await harness.job(jobId)).toMatchObject({ status: 'failed', reason_detail: detail });
  });
});

describe('what people order of a worker', () => {
  it('is told to it: how many slots it has, over either transport', async () => {
    const admin = await restAs(harness, 'admin');
    const worker = await HttpWorker.register(harness, { name: 'resized', slots: 2 });
    expect(worker.registered.slots).toBe(2);
    const agent = await harness.agent();
    for (const id of [worker.id, agent.workerId]) expect((await admin.send('PATCH', `/api/v1/workers/${id}`, { body: { slots: 5 } })).status).toBe(200);
    expect((await worker.beat()).body.slots).toBe(5);
    const beat = { session: agent.session, executions: [], sample: null, paused: false, slotsFree: 1 };
    expect(await agent.call('worker:beat', beat)).toMatchObject({ ok: { slots: 5 } });
  });

  it('holds for it: a cordoned one is given nothing, a drained one tells a planned stop, a removed one is gone', async () => {
    const admin = await restAs(harness, 'admin');
    const worker = await HttpWorker.register(harness, { name: 'ordered', slots: 2 });
    const jobId = await harness.submit(EXTERNAL);
    await admin.post(`/workers/${worker.id}/cordon`, {});
    expect((await worker.ask(0)).status).toBe(204);
    await admin.post(`/workers/${worker.id}/undrain`, {});
    const claimed = await worker.take();
    expect(claimed.jobId).toBe(jobId);
    await admin.post(`/workers/${worker.id}/drain`, { policy: 'requeue', deadlineSeconds: 0 });
    await eventually('it is told to stop', async () => (await worker.beat({ executions: [claimed.execution] })).body.commands.some(({ isPlanned }) => isPlanned));
    expect((await claimed.complete({ outcome: 'stopped' })).body).toEqual({ kind: 'accepted' });
    expect((await harness.job(jobId)).status).toBe('queued');
    await admin.post(`/workers/${worker.id}/undrain`, {});
    await admin.post(`/jobs/${jobId}/cancel`, {});
    const asking = worker.ask();
    await whenWaiting(1);
    expect((await admin.send('DELETE', `/api/v1/workers/${worker.id}`)).status).toBe(200);
    for (const answer of [await asking, await worker.beat()]) expect(answer).toMatchObject({ status: 410, body: { code: 'workerRemoved' } });
  });
});

describe('claims over HTTP', () => {
  it('never give two of them the same job, nor a worker more than it has slots', async () => {
    const worker = await HttpWorker.register(harness, { name: 'eight', slots: 6 });
    const others = await Promise.all(Array.from({ length: 8 }, (_, n) => HttpWorker.register(harness, { name: `one-${n}` })));
    const jobIds = await harness.submitMany(8, EXTERNAL);
    const given: string[] = [];
    const askAtOnce = async (waitSeconds: number): Promise<void> => {
      const answers = await Promise.all([...Array.from({ length: 8 }, () => worker), ...others].map((one) => one.ask(waitSeconds)));
      given.push(...answers.flatMap(({ status, body }) => (status === 200 ? [body.job.id] : [])));
      expect(answers.filter(({ status }) => ![200, 204].includes(status))).toEqual([]);
    };
    // On a busy machine the wait of a request may be over before a turn was taken for it.
    await eventually('every job is given', () => askAtOnce(1).then(() => given.length >= jobIds.length));
    await askAtOnce(0);
    expect([...given].sort()).toEqual([...jobIds].sort());
    // One that was granted in the moment when its request's wait was over went back in line, and was given to another.
    const held = (await Promise.all(jobIds.map((id) => harness.attempts(id)))).flat().filter(({ outcome }) => outcome !== 'refused');
    expect(held).toHaveLength(8);
    expect(held.filter(({ worker_id }) => worker_id === worker.id).length).toBeLessThanOrEqual(6);
  });

  it('of two replicas share what there is', async () => {
    const other = await harness.startReplica();
    const here = await HttpWorker.register(harness, { name: 'two-replicas', slots: 8 });
    const there = here.at(other.url);
    const asking = [here.ask(), here.ask(), there.ask(), there.ask()];
    await Promise.all([whenWaiting(2), whenWaiting(2, other)]);
    const jobIds = await harness.submitMany(4, EXTERNAL);
    const given = (await Promise.all(asking)).map(({ body }) => body.job.id);
    expect(given.sort()).toEqual([...jobIds].sort());
    await other.stop();
  });

  it('that nobody waits for any more lose no job', async () => {
    const worker = await HttpWorker.register(harness, { name: 'gone' });
    const gone = new AbortController();
    const asked = fetch(`${worker.rest.url}/api/v1/workers/${worker.id}/claim`, {
      method: 'POST', signal: gone.signal, headers: { authorization: `Bearer ${worker.rest.key}`, 'content-type': 'application/json' }, body: '{"waitSeconds":20}',
    }).catch((error: Error) => error.name);
    await whenWaiting(1);
    gone.abort();
    expect(await asked).toBe('AbortError');
    await whenWaiting(0);
    const jobId = await harness.submit(EXTERNAL);
    expect((await worker.claim()).jobId).toBe(jobId);
  });

  it('that are granted in the moment when nobody waits any more go back to the queue at once', async () => {
    const worker = await HttpWorker.register(harness, { name: 'torn' });
    const tokens = harness.controlPlane.app.get(JobTokens);
    const server: Server = harness.controlPlane.app.getHttpServer();
    const heard = once(server, 'request') as Promise<[IncomingMessage]>;
    jest.spyOn(tokens, 'mint').mockImplementationOnce(async (attemptId) => {
      const [{ socket }] = await heard;
      const closed = once(socket, 'close');
      asking.destroy();
      await closed;
      return tokens.mint(attemptId);
    });
    const asking = request(`${worker.rest.url}/api/v1/workers/${worker.id}/claim`, {
      method: 'POST', headers: { authorization: `Bearer ${worker.rest.key}`, 'content-type': 'application/json' },
    });
    asking.on('error', () => undefined);
    asking.end('{"waitSeconds":20}');
    await whenWaiting(1);
    const jobId = await harness.submit(EXTERNAL);
    await eventually('the job was given back', async () => (await harness.attempts(jobId))[0]?.outcome === 'refused');
    expect((await harness.job(jobId)).status).toBe('queued');
    expect((await worker.claim()).jobId).toBe(jobId);
  });

  it('wait for jobs of a kind that is taken, and explain says whose kind is missing', async () => {
    const worker = await HttpWorker.register(harness, { name: 'choosy' });
    const jobId = await harness.submit({ run: { external: { kind: 'goliat', payload: {} } } });
    expect((await worker.ask(0)).status).toBe(204);
    const { body } = await (await restAs(harness, 'viewer')).get<{ reason: string; perWorker: { workerName: string; reasons: string[] }[] }>(`/jobs/${jobId}/explain`);
    expect(body.reason).toBe('noMatchingWorker');
    expect(body.perWorker.find(({ workerName }) => workerName === 'choosy')?.reasons).toEqual(['runs external:http, not external:goliat']);
    await (await restAs(harness, 'admin')).post(`/jobs/${jobId}/cancel`, {});
  });

  it('end when this replica stops', async () => {
    const other = await harness.startReplica();
    const worker = (await HttpWorker.register(harness, { name: 'homeless' })).at(other.url);
    const asking = worker.ask();
    await whenWaiting(1, other);
    await Promise.all([other.stop(), expect(asking).resolves.toMatchObject({ status: 204 })]);
  });

  it('are turns of the one dispatcher, which offers nothing to a worker that does not ask', async () => {
    const worker = await HttpWorker.register(harness, { name: 'silent' });
    const jobId = await harness.submit(EXTERNAL);
    await harness.controlPlane.app.get(Dispatcher).tick();
    expect((await harness.job(jobId)).status).toBe('queued');
    const { body } = await (await restAs(harness, 'viewer')).get<{ detail: string }>(`/jobs/${jobId}/explain`);
    expect(body.detail).toBe('A worker is free, and is given the job when it asks for one.');
    expect((await worker.claim(0)).jobId).toBe(jobId);
  });
});
