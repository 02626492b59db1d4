import type { EventView, ExplainView, JobView, Page, Problem } from '@muster/protocol';
import { sql } from '../src/database/sql.js';
import { startHarness } from './control-plane-harness.js';
import type { Harness } from './control-plane-harness.js';
import type { Rest} from './rest.js';
import { restAs } from './rest.js';

const COUNT = sql`select count(*)::int as count from job where owner = $1`;
const TRUE = { run: { command: ['true'] } };

let harness: Harness;
let ada: Rest;
beforeAll(async () => {
  harness = await startHarness();
  ada = await restAs(harness, 'submitter', 'ada');
});
afterAll(() => harness.stop());

async function countOf(owner: string): Promise<number> {
  return (await harness.database.query<{ count: number }>(COUNT, [owner]))[0]?.count ?? -1;
}

describe('a submitted job', () => {
  it('is stored with every default filled in and is queued', async () => {
    const { status, body: job, headers } = await ada.post<JobView>('/jobs', { run: { shell: 'echo hi' }, labels: { exp: '7' }, env: { A: 'ä\n"\\' } });
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/api/v1/jobs/${job.id}`);
    expect(job).toMatchObject({
      status: 'queued', desired: 'run', owner: 'ada', name: 'echo hi', labels: { exp: '7' }, priority: 0, attemptCount: 0, currentAttemptId: null,
      workerId: null, progress: null, result: null, exitCode: null, startedAt: null, finishedAt: null, allowedActions: ['cancel', 'pause'],
      reason: 'noWorkerOnline', reasonText: { sentence: 'No worker is connected.' }, reasonDetail: 'No worker ever connected.',
    });
    expect(job.spec).toEqual({
      name: 'echo hi', run: { shell: 'echo hi' }, env: { A: 'ä\n"\\' }, labels: { exp: '7' }, needs: {}, limits: { logBytes: 268_435_456 },
      priority: 0, graceSeconds: 10, stopSignal: 'SIGTERM', retry: { onFailure: 0, onWorkerLost: 3, backoffSeconds: 5 },
      disconnect: { lostAfterSeconds: 300, onWorkerLost: 'requeue', exclusive: false }, logs: { separate: false }, pause: 'freeze',
    });
    expect((await ada.get<JobView>(`/jobs/${job.id}`)).body).toEqual(job);
    const { body: events } = await ada.get<Page<EventView>>(`/jobs/${job.id}/events`);
    expect(events.data).toMatchObject([{ type: 'job.queued', actor: 'ada', jobId: job.id, data: { name: 'echo hi' } }]);
    expect(events.nextCursor).toBeNull();
    expect((await ada.get<{ data: unknown[] }>(`/jobs/${job.id}/attempts`)).body).toEqual({ data: [] });
  });

  it('keeps every character that may stand in an argument', async () => {
    const all = Array.from({ length: 0x800 }, (_, code) => String.fromCodePoint(code + 1)).join('');
    const command = ['printf', all, '😀\u{10ffff}', '', "it's $HOME `x` \\ \" \r\n"];
    const { body } = await ada.post<JobView>('/jobs', { run: { command }, env: { ALL: all } });
    expect(body.spec.run.command).toEqual(command);
    expect(body.spec.env).toEqual({ ALL: all });
  });

  it('explains itself worker by worker', async () => {
    const agent = await harness.agent({ name: 'lab-3', slots: 1 });
    try {
      const { body: job } = await ada.post<JobView>('/jobs', { ...TRUE, needs: { gpus: 2, gpuModel: 'H100' } });
      const { body } = await ada.get<ExplainView>(`/jobs/${job.id}/explain`);
      expect(body).toMatchObject({ jobId: job.id, status: 'queued', reason: 'noMatchingWorker' });
      expect(body.perWorker).toEqual([{ workerId: agent.workerId, workerName: 'lab-3', reasons: [expect.stringMatching(/^needs 2 GPUs/)] }]);
      expect((await ada.get<JobView>(`/jobs/${job.id}`)).body).toMatchObject({ reason: 'noMatchingWorker', reasonDetail: body.detail });
    } finally {
      agent.leave();
    }
  });

  it('takes an argument of 64 KB and a name of the longest length', async () => {
    const { body, status } = await ada.post<JobView>('/jobs', { name: 'ü'.repeat(100), run: { command: ['echo', 'x'.repeat(65_536)] } });
    expect(status).toBe(201);
    expect(body.spec.run.command?.[1]).toHaveLength(65_536);
  });

  it('whose default name would end inside a character is stored all the same', async () => {
    expect((await ada.post('/jobs', { run: { shell: `${'x'.repeat(59)}😀😀` } })).status).toBe(201);
  });
});

describe('a list of jobs', () => {
  it('of 100 is stored whole and in order', async () => {
    const jobs = Array.from({ length: 100 }, (_, index) => ({ ...TRUE, name: `n${index}`, needs: { cpus: 1 + (index % 3) } }));
    const { status, body } = await ada.post<{ data: JobView[] }>('/jobs', { jobs });
    expect(status).toBe(201);
    expect(body.data.map((job) => job.name)).toEqual(jobs.map((job) => job.name));
    const ids = body.data.map((job) => job.id);
    expect([...ids].sort()).toEqual(ids);
  });

  it('with one that cannot be stored stores none', async () => {
    const eve = await restAs(harness, 'submitter', 'eve');
    const jobs = Array.from({ length: 100 }, (_, index) => ({ ...TRUE, name: index === 99 ? 'poison' : 'fine' }));
    await harness.database.execute(sql`alter table job add constraint no_poison check (name <> 'poison')`);
    try {
      expect((await eve.refused('POST', '/api/v1/jobs', { body: { jobs } })).code).toBe('internal');
    } finally {
      await harness.database.execute(sql`alter table job drop constraint no_poison`);
    }
    expect(await countOf('eve')).toBe(0);
  });

  it('shares lanes between jobs with the same needs', async () => {
    const eva = await restAs(harness, 'submitter', 'eva');
    const needs = [{ cpus: 1, memoryMb: 2 }, { memoryMb: 2, cpus: 1 }, { cpus: 2 }];
    await Promise.all(Array.from({ length: 10 }, () => eva.post('/jobs', { jobs: needs.map((one) => ({ ...TRUE, needs: one })) })));
    const lanes = await harness.database.query(sql`select 1 from lane where owner = 'eva'`);
    expect(lanes).toHaveLength(2);
    expect(await countOf('eva')).toBe(30);
  });
});

describe('an Idempotency-Key', () => {
  const withKey = (key: string): { 'idempotency-key': string } => ({ 'idempotency-key': key });

  it('makes a second request answer with the jobs of the first', async () => {
    const first = await ada.post<JobView>('/jobs', { ...TRUE, name: 'once' }, withKey('k1'));
    const second = await ada.post<JobView>('/jobs', { name: 'once', ...TRUE }, withKey('k1'));
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(second.headers.get('idempotency-replayed')).toBe('true');
  });

  it('used with another body is refused', async () => {
    await ada.post('/jobs', TRUE, withKey('k2'));
    const before = await countOf('ada');
    expect(await ada.refused('POST', '/api/v1/jobs', { body: { ...TRUE, name: 'other' }, headers: withKey('k2') })).toMatchObject({
      status: 422,
      code: 'idempotencyConflict',
    });
    expect(await countOf('ada')).toBe(before);
  });

  it('is its owner\'s own', async () => {
    const bob = await restAs(harness, 'submitter', 'bob');
    const one = await ada.post<JobView>('/jobs', TRUE, withKey('k3'));
    const other = await bob.post<JobView>('/jobs', TRUE, withKey('k3'));
    expect(other.headers.get('idempotency-replayed')).toBeNull();
    expect(other.body.id).not.toBe(one.body.id);
  });

  it('sent twenty times at once stores its jobs once', async () => {
    const dot = await restAs(harness, 'submitter', 'dot');
    const answers = await Promise.all(Array.from({ length: 20 }, () => dot.post<JobView | Problem>('/jobs', TRUE, withKey('k4'))));
    const made = answers.filter((answer) => answer.status === 201);
    expect(new Set(made.map((answer) => (answer.body as JobView).id)).size).toBe(1);
    for (const answer of answers.filter((one) => one.status !== 201)) {
      expect(answer.body).toMatchObject({ status: 409, code: 'idempotencyInProgress' });
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    expect(await countOf('dot')).toBe(1);
  });

  it('whose first request still runs is answered with 409', async () => {
    const fay = await restAs(harness, 'submitter', 'fay');
    let first: Promise<unknown> = Promise.resolve();
    await harness.database.transaction(async (connection) => {
      // Holds back the first request in the middle of its transaction.
      await connection.execute(sql`lock table job in share mode`);
      first = fay.post<JobView>('/jobs', TRUE, withKey('k5'));
      const waiting = sql`select 1 from pg_locks where not granted and relation = 'job'::regclass`;
      while ((await harness.database.query(waiting)).length === 0) await new Promise((resolve) => setImmediate(resolve));
      expect(await fay.refused('POST', '/api/v1/jobs', { body: TRUE, headers: withKey('k5') })).toMatchObject({ status: 409 });
    });
    expect(await first).toMatchObject({ status: 201 });
  });

  it('of a request that failed can be used again', async () => {
    expect((await ada.refused('POST', '/api/v1/jobs', { body: { run: {} }, headers: withKey('k6') })).status).toBe(400);
    expect((await ada.post('/jobs', TRUE, withKey('k6'))).headers.get('idempotency-replayed')).toBeNull();
  });

  it('is forgotten after a day', async () => {
    const first = await ada.post<JobView>('/jobs', TRUE, withKey('k7'));
    await harness.database.execute(sql`update idempotency_key set created_at = now() - interval '25 hours' where key = 'k7'`);
    const second = await ada.post<JobView>('/jobs', { ...TRUE, name: 'new' }, withKey('k7'));
    expect(second.status).toBe(201);
    expect(second.body.id).not.toBe(first.body.id);
  });
});

describe('cancelling', () => {
  it('a queued job ends it at once, and again changes nothing', async () => {
    const { body: job } = await ada.post<JobView>('/jobs', { ...TRUE, needs: { gpus: 60 } });
    const first = await ada.post<JobView>(`/jobs/${job.id}/cancel`, { reason: 'wrong data' });
    expect(first.status).toBe(202);
    expect(first.body).toMatchObject({ status: 'cancelled', desired: 'cancel', reason: 'cancelledByUser', allowedActions: [] });
    const again = await ada.post<JobView>(`/jobs/${job.id}/cancel`);
    expect(again.body).toEqual(first.body);
    const { body: events } = await ada.get<Page<EventView>>(`/jobs/${job.id}/events`);
    expect(events.data.map((event) => [event.type, event.actor])).toEqual([
      ['job.queued', 'ada'], ['job.cancelRequested', 'ada'], ['job.cancelled', 'ada'],
    ]);
    expect(events.data[1]?.data).toEqual({ force: false, note: 'wrong data' });
  });

  it('is for the owner, and for operators', async () => {
    const { body: job } = await ada.post<JobView>('/jobs', { ...TRUE, needs: { gpus: 60 } });
    const bob = await restAs(harness, 'submitter', 'bob');
    expect(await bob.refused('POST', `/api/v1/jobs/${job.id}/cancel`)).toMatchObject({
      status: 403,
      detail: 'The job belongs to ada; the key submitter (submitter) acts for bob.',
    });
    expect((await bob.get<JobView>(`/jobs/${job.id}`)).body.status).toBe('queued');
    const colleague = await restAs(harness, 'submitter', 'ada');
    expect((await colleague.post(`/jobs/${job.id}/cancel`)).status).toBe(202);
    const { body: other } = await ada.post<JobView>('/jobs', { ...TRUE, needs: { gpus: 60 } });
    const operator = await restAs(harness, 'operator', 'olga');
    expect((await operator.post(`/jobs/${other.id}/cancel`)).status).toBe(202);
  });
});
