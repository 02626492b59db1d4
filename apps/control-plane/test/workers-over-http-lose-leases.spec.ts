/** What a worker without a socket may lose: its lease, its place, its key. As agents do. */
import type { AttemptId, JobId } from '@muster/protocol';
import { eventually } from '@muster/testing';
import { Dispatcher } from '../src/dispatch/dispatcher.js';
import { sql } from '../src/database/sql.js';
import { Fleet } from '../src/replicas/fleet.js';
import { WaitingClaims } from '../src/http-workers/waiting-claims.js';
import { WorkerDesk } from '../src/worker-life/worker-desk.js';
import { PATIENT_LEASE_MS, startHarness, type Harness } from './control-plane-harness.js';
import { EXTERNAL, HttpWorker } from './http-worker.js';
import { Rest, restAs } from './rest.js';

/** Lost, it is in line again at once. */
const SHORT = { ...EXTERNAL, retry: { backoffSeconds: 0 } } as const;
const LEASE_OVER = sql`update attempt set lease_until = now() where job_id = $1 and state <> 'ended'`;
const SILENCE = sql`update worker set last_beat_at = last_beat_at - interval '1 hour' where id = $1`;
const NEARLY_OVER = sql`update attempt set lease_until = now() + interval '1 minute' where job_id = $1`;
const LINK = sql`select link, last_beat_at from worker where id = $1`;

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const linkOf = async (id: string): Promise<{ link: string; last_beat_at: Date }> => (await harness.database.query<{ link: string; last_beat_at: Date }>(LINK, [id]))[0] as never;
const whenWaiting = (count: number, replica = harness.controlPlane): Promise<unknown> =>
  eventually(`${count} requests wait`, () => replica.app.get(WaitingClaims).size === count);
/** Time is moved: the lease that runs, of an offer or of an attempt, is over now. */
async function whenOver(jobId: JobId, outcome: 'lost' | 'refused'): Promise<void> {
  await harness.database.execute(LEASE_OVER, [jobId]);
  await eventually(`the attempt is ${outcome}`, async () => (await harness.attempts(jobId)).at(-1)?.outcome === outcome);
}

describe('a lease over HTTP', () => {
  it('that is over comes back with the process, under a new attempt, and the old token goes on speaking for it', async () => {
    const worker = await HttpWorker.register(harness, { name: 'back' });
    const jobId = await harness.submit(SHORT);
    const claimed = await worker.take();
    expect((await claimed.log(0, 'one\n')).body).toEqual({ storedLength: 4 });
    await whenOver(jobId, 'lost');
    const { body } = await worker.beat({ executions: [claimed.execution] });
    expect(body.verdicts).toEqual([{ kind: 'reclaimed', ref: { attemptId: claimed.attemptId, epoch: 1 }, attempt: { attemptId: expect.any(String), epoch: 2 }, leaseMs: PATIENT_LEASE_MS }]);
    expect((await claimed.log(4, 'two\n')).body).toEqual({ storedLength: 8 });
    expect((await claimed.renew()).body).toMatchObject({ verdict: { kind: 'reclaimed' } });
    expect((await claimed.complete()).body).toEqual({ kind: 'accepted' });
    expect(await harness.job(jobId)).toMatchObject({ status: 'completed', attempt_count: 2 });
  });

  it('that another has is told to the first as superseded, whose end changes nothing, and whose log is still taken', async () => {
    const first = await HttpWorker.register(harness, { name: 'first' });
    const jobId = await harness.submit(SHORT);
    const lost = await first.take();
    await whenOver(jobId, 'lost');
    const second = await HttpWorker.register(harness, { name: 'second' });
    const taken = await second.take();
    expect(taken.jobId).toBe(jobId);
    expect((await first.beat({ executions: [lost.execution] })).body.commands).toEqual([{ attemptId: lost.attemptId, epoch: 1, kind: 'stop', graceSeconds: 0, reason: 'superseded' }]);
    expect((await lost.complete({ outcome: 'failed', exitCode: 1 })).body).toEqual({ kind: 'superseded' });
    expect((await lost.log(0, 'late\n')).body).toEqual({ storedLength: 5 });
    expect((await harness.job(jobId)).status).toBe('running');
    expect((await taken.complete()).body).toEqual({ kind: 'accepted' });
    expect((await taken.complete()).body).toEqual({ kind: 'repeated' });
    expect((await taken.complete({ outcome: 'failed' })).body).toEqual({ kind: 'superseded' });
    expect((await harness.job(jobId)).status).toBe('completed');
  });

  it('is renewed by a beat, by a renewal with the token, and by nothing else', async () => {
    const worker = await HttpWorker.register(harness, { name: 'renewer' });
    const jobId = await harness.submit(SHORT);
    const claimed = await worker.take();
    const until = async (): Promise<number> => (await harness.attempts(jobId))[0]?.lease_until?.getTime() ?? 0;
    await harness.database.execute(NEARLY_OVER, [jobId]);
    const begun = await until();
    await worker.beat({ executions: [] });
    await claimed.log(0, 'x');
    expect(await until()).toBe(begun);
    expect((await claimed.renew()).body).toMatchObject({ verdict: { kind: 'keep', leaseMs: PATIENT_LEASE_MS, command: null }, commands: [] });
    expect(await until()).toBeGreaterThan(begun);
    await harness.database.execute(NEARLY_OVER, [jobId]);
    const again = await until();
    await worker.beat({ executions: [claimed.execution] });
    expect(await until()).toBeGreaterThan(again);
    await claimed.complete();
  });

  it('that was claimed and not begun in its term goes to whoever asks next', async () => {
    const slow = await HttpWorker.register(harness, { name: 'slow' });
    const jobId = await harness.submit(SHORT);
    const late = await slow.claim();
    await whenOver(jobId, 'refused');
    const next = await (await HttpWorker.register(harness, { name: 'next' })).claim();
    expect(next.jobId).toBe(jobId);
    expect((await late.start()).body).toEqual({ kind: 'no', reason: 'superseded' });
    expect((await next.start()).body).toMatchObject({ kind: 'go' });
    expect((await next.start()).body).toMatchObject({ kind: 'go' });
    await next.complete();
  });

  it('that a replica granted in the moment it died is over with the term of the offer', async () => {
    const other = await harness.startReplica();
    const worker = await HttpWorker.register(harness, { name: 'orphan', slots: 2 });
    // What a dead replica does: it gives nothing back.
    jest.spyOn(other.app.get(WorkerDesk), 'refuse').mockReturnValue(new Promise(() => undefined));
    jest.spyOn(other.app.get(WaitingClaims), 'give').mockImplementation(() => other.app.getHttpServer().closeAllConnections());
    const asking = worker.at(other.url).ask().catch((error: Error) => error.name);
    await whenWaiting(1, other);
    const jobId = await harness.submit(SHORT);
    other.app.get(Dispatcher).wake();
    expect(await asking).toBe('TypeError');
    expect((await harness.job(jobId)).status).toBe('assigned');
    await whenOver(jobId, 'refused');
    const claimed = await worker.take();
    expect(claimed.jobId).toBe(jobId);
    expect((await harness.attempts(jobId)).map(({ outcome }) => outcome)).toEqual(['refused', null]);
    await claimed.complete();
    jest.restoreAllMocks();
    await other.stop();
  });
});

describe('a worker over HTTP', () => {
  it('is heard while it waits for a job, however long, and unreachable when it does nothing', async () => {
    const worker = await HttpWorker.register(harness, { name: 'patient' });
    const interval = jest.spyOn(harness.controlPlane.app.get(Fleet), 'beatIntervalMs').mockReturnValue(200);
    const asking = worker.ask(30);
    await whenWaiting(1);
    const first = (await linkOf(worker.id)).last_beat_at.getTime();
    await eventually('it is heard again', async () => (await linkOf(worker.id)).last_beat_at.getTime() > first);
    expect((await linkOf(worker.id)).link).toBe('connected');
    const jobId = await harness.submit(EXTERNAL);
    const { body } = await asking;
    interval.mockRestore();
    expect(body.job.id).toBe(jobId);
    await worker.rest.post(`/attempts/${body.attempt.id}/start`, {});
    await worker.rest.post(`/attempts/${body.attempt.id}/complete`, { outcome: 'succeeded' });
    await harness.database.execute(SILENCE, [worker.id]);
    await eventually('it is unreachable', async () => (await linkOf(worker.id)).link === 'unreachable');
    const viewer = await restAs(harness, 'viewer');
    expect((await viewer.get<{ status: string }>(`/workers/${worker.id}`)).body.status).toBe('offline');
    expect((await worker.ask(0)).status).toBe(204);
    expect((await linkOf(worker.id)).link).toBe('connected');
  });

  it('is the program that registered last: the older one is told so by whatever it says next, and in its wait', async () => {
    const older = await HttpWorker.register(harness, { name: 'twin' });
    const asking = older.ask();
    await whenWaiting(1);
    const newer = await HttpWorker.register(harness, { name: 'twin' });
    expect(newer).toMatchObject({ id: older.id, session: older.session + 1 });
    for (const answer of [await asking, await older.beat(), await older.ask(0)]) expect(answer).toMatchObject({ status: 409, body: { code: 'superseded' } });
    const jobId = await harness.submit(EXTERNAL);
    const claimed = await newer.take();
    expect(claimed.jobId).toBe(jobId);
    const byOlder = await claimed.call('complete', { session: older.session, outcome: 'failed' }, older.rest);
    expect(byOlder).toMatchObject({ status: 409, body: { code: 'superseded' } });
    expect((await claimed.complete()).body).toEqual({ kind: 'accepted' });
  });

  it('keeps what it lists when it registers anew, and loses what it does not know any more', async () => {
    const before = await HttpWorker.register(harness, { name: 'restarted', slots: 2 });
    const jobIds = await harness.submitMany(2, EXTERNAL);
    const [kept, forgotten] = [await before.take(), await before.take()];
    const { body } = await before.rest.post<{ verdicts: object[]; session: number }>('/workers/register', { name: 'restarted', slots: 2, executions: [kept.execution] });
    expect(body).toMatchObject({ session: before.session + 1, verdicts: [{ kind: 'keep' }] });
    expect((await kept.complete()).body).toEqual({ kind: 'accepted' });
    expect((await forgotten.complete()).body).toEqual({ kind: 'superseded' });
    expect(jobIds).toEqual(expect.arrayContaining([kept.jobId, forgotten.jobId]));
    await (await restAs(harness, 'admin')).post(`/jobs/${forgotten.jobId}/cancel`, {});
  });

  it('of another owner is not there for anybody else, who changes nothing', async () => {
    const worker = await HttpWorker.register(harness, { name: 'mine' });
    await harness.submit(EXTERNAL);
    const claimed = await worker.take();
    const stranger = new Rest(harness.controlPlane.url, (await harness.createKey('worker', 'mallory')).secret);
    const before = await linkOf(worker.id);
    for (const verb of ['heartbeat', 'claim']) expect((await stranger.post(`/workers/${worker.id}/${verb}`, { paused: undefined })).status).toBe(404);
    for (const [verb, body] of [['complete', { outcome: 'failed' }], ['logs', { offset: 0, text: 'x' }], ['renew', {}], ['start', {}]] as const) {
      expect((await claimed.call(verb, body, stranger)).status).toBe(404);
    }
    expect(await linkOf(worker.id)).toEqual(before);
    const taken = await stranger.post<{ workerId: string }>('/workers/register', { name: 'mine', workerId: worker.id });
    expect(taken.body.workerId).not.toBe(worker.id);
    expect((await claimed.complete()).body).toEqual({ kind: 'accepted' });
  });

  it('whose key is revoked is fenced: its wait ends, no lease is renewed, no end taken, by key or token', async () => {
    const { id: keyId, secret } = await harness.createKey('worker', 'workers');
    const worker = await HttpWorker.register(harness, { name: 'fenced', key: secret, slots: 2 });
    const jobId = await harness.submit({ ...SHORT, retry: { never: true } });
    const claimed = await worker.take();
    const asking = worker.ask();
    await whenWaiting(1);
    await (await restAs(harness, 'admin')).send('DELETE', `/api/v1/keys/${keyId}`);
    expect((await asking).status).toBe(404);
    expect((await worker.beat({ executions: [claimed.execution] })).status).toBe(401);
    expect((await claimed.renew()).status).toBe(401);
    expect((await claimed.complete()).status).toBe(401);
    expect((await worker.rest.post('/workers/register', { name: 'fenced' })).status).toBe(401);
    await harness.database.execute(LEASE_OVER, [jobId]);
    await eventually('the job is lost', async () => (await harness.job(jobId)).reason === 'workerLost');
    // The owner's next key is the same worker, heard again.
    const next = (await harness.createKey('worker', 'workers')).secret;
    const again = await new Rest(harness.controlPlane.url, next).post<{ workerId: string }>('/workers/register', { name: 'fenced', workerId: worker.id });
    expect(again.body.workerId).toBe(worker.id);
  });

  it('is registered by many at once as one worker, of which each registration is answered', async () => {
    const rest = new Rest(harness.controlPlane.url, harness.workerKey);
    const answers = await Promise.all(Array.from({ length: 12 }, () => rest.post<{ workerId: string; session: number }>('/workers/register', { name: 'crowd' })));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map(({ body }) => body.workerId)).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.session)).size).toBe(12);
  });

  it('that names no session speaks as the newest program', async () => {
    const worker = await HttpWorker.register(harness, { name: 'foreign' });
    await HttpWorker.register(harness, { name: 'foreign' });
    expect((await worker.rest.post(`/workers/${worker.id}/heartbeat`, {})).status).toBe(200);
    const jobId = await harness.submit(EXTERNAL);
    const { body } = await worker.rest.post<{ attempt: { id: AttemptId } }>(`/workers/${worker.id}/claim`, {});
    expect((await worker.rest.post(`/attempts/${body.attempt.id}/start`, {})).body).toMatchObject({ kind: 'go' });
    expect((await worker.rest.post(`/attempts/${body.attempt.id}/complete`, { outcome: 'succeeded' })).body).toEqual({ kind: 'accepted' });
    expect((await harness.job(jobId)).status).toBe('completed');
  });
});
