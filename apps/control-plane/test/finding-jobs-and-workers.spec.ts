import type { JobView, Page, WorkerView } from '@muster/protocol';
import { eventually } from '@muster/testing';
import { startHarness } from './control-plane-harness.js';
import type { Harness } from './control-plane-harness.js';
import { restAs } from './rest.js';
import type { Rest } from './rest.js';

let harness: Harness;
let ada: Rest;
let bob: Rest;
let viewer: Rest;
beforeAll(async () => {
  harness = await startHarness();
  ada = await restAs(harness, 'submitter', 'ada');
  bob = await restAs(harness, 'submitter', 'bob');
  viewer = await restAs(harness, 'viewer');
});
afterAll(() => harness.stop());

const list = async (query: string): Promise<Page<JobView>> => {
  const { status, body, text } = await viewer.get<Page<JobView>>(`/jobs${query}`);
  if (status !== 200) throw new Error(text);
  return body;
};
const names = async (query: string): Promise<string[]> => (await list(query)).data.map((job) => job.name);
const named = (rest: Rest, name: string, more: object = {}): Promise<{ body: JobView }> =>
  rest.post<JobView>('/jobs', { name, run: { command: ['true'] }, needs: { gpus: 60 }, ...more });

describe('the list of jobs', () => {
  it('is narrowed by every filter, and by all of them together', async () => {
    const { body: first } = await named(ada, 'Alpha_1', { labels: { exp: '7', 'x.y': 'a:b' } });
    await named(ada, 'beta%', { labels: { exp: '8' } });
    const { body: third } = await named(bob, 'Alphabet', { labels: { exp: '7' } });
    await ada.post(`/jobs/${first.id}/cancel`);
    expect(await names('')).toEqual(['Alphabet', 'beta%', 'Alpha_1']);
    expect(await names('?status=cancelled')).toEqual(['Alpha_1']);
    expect(await names('?status=cancelled,queued')).toEqual(['Alphabet', 'beta%', 'Alpha_1']);
    expect(await names('?status=queued,cancelled,queued')).toEqual(['Alphabet', 'beta%', 'Alpha_1']);
    expect(await names('?owner=ada')).toEqual(['beta%', 'Alpha_1']);
    expect(await names('?label=exp:7')).toEqual(['Alphabet', 'Alpha_1']);
    expect(await names('?label=exp:7,x.y:a:b')).toEqual(['Alpha_1']);
    expect(await names('?q=ALPHA')).toEqual(['Alphabet', 'Alpha_1']);
    expect(await names('?q=%25')).toEqual(['beta%']);
    expect(await names('?q=_')).toEqual(['Alpha_1']);
    expect(await names(`?prefix=${third.id.slice(0, 28)}`)).toEqual(['Alphabet']);
    expect(await names(`?prefix=${first.id}`)).toEqual(['Alpha_1']);
    expect(await names(`?createdAfter=${first.createdAt}&createdBefore=${third.createdAt}`)).toEqual(['beta%']);
    expect(await names(`?createdAfter=${new Date(Date.parse(third.createdAt) + 1).toISOString()}`)).toEqual([]);
    expect(await names('?owner=ada&label=exp:8&status=queued&q=bet&limit=1')).toEqual(['beta%']);
    expect(await names('?worker=wkr_01JDABCDEF0123456789ABCDEF')).toEqual([]);
  });

  it('takes a moment in any zone, and refuses one that the calendar does not have', async () => {
    expect((await viewer.get(`/jobs?createdAfter=${encodeURIComponent('2026-11-22T10:00:00+23:00')}`)).status).toBe(200);
    for (const moment of ['2026-02-31T00:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59-23:00']) {
      expect((await viewer.get(`/jobs?createdBefore=${moment}`)).status).toBe(400);
    }
  });

  it('takes hostile texts for what they are: texts', async () => {
    for (const text of ["' or 1=1 --", '%', '_', '\\', '%%%', "'; drop table job; --", '${1}', '$1', '*', '[a-z]', '"', '\u202e']) {
      const answer = await viewer.get<Page<JobView>>(`/jobs?owner=${encodeURIComponent(text)}`);
      expect(answer.status).toBe(200);
      expect(answer.body.data).toEqual([]);
      expect((await viewer.get(`/jobs?q=${encodeURIComponent(text)}&label=${encodeURIComponent(`a:${text}`)}`)).status).toBe(200);
    }
  });

  it('shows each job once, page by page, while others are submitted', async () => {
    const eve = await restAs(harness, 'submitter', 'eve');
    for (let batch = 0; batch < 3; batch++) {
      await eve.post('/jobs', { jobs: Array.from({ length: 15 }, (_, index) => ({ name: `p${batch * 15 + index}`, run: { command: ['true'] } })) });
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Page<JobView> = await list(`?owner=eve&limit=7${cursor === null ? '' : `&cursor=${cursor}`}`);
      seen.push(...page.data.map((job) => job.name));
      cursor = page.nextCursor;
      await eve.post('/jobs', { name: 'late', run: { command: ['true'] } });
    } while (cursor !== null);
    expect(seen).toEqual(Array.from({ length: 45 }, (_, index) => `p${44 - index}`));
  });

  it('ends without a cursor exactly when nothing follows', async () => {
    const fay = await restAs(harness, 'submitter', 'fay');
    await fay.post('/jobs', { jobs: Array.from({ length: 4 }, () => ({ run: { command: ['true'] } })) });
    const first = await list('?owner=fay&limit=2');
    const second = await list(`?owner=fay&limit=2&cursor=${first.nextCursor}`);
    expect(first.data).toHaveLength(2);
    expect(second.data).toHaveLength(2);
    expect(second.nextCursor).toBeNull();
  });
});

describe('a job on a worker', () => {
  it('names its worker, and is found by it', async () => {
    const agent = await harness.agent({ name: 'lab-7', slots: 2 });
    const { body: job } = await ada.post<JobView>('/jobs', { name: 'there', run: { command: ['true'] }, priority: 100 });
    const view = await eventually('the job is given to the worker', async () => {
      const { body } = await viewer.get<JobView>(`/jobs/${job.id}`);
      expect(body.status).toBe('assigned');
      return body;
    });
    expect(view).toMatchObject({ workerId: agent.workerId, workerName: 'lab-7', workerLink: 'connected', attemptCount: 1 });
    expect(await names(`?worker=${agent.workerId}&owner=ada`)).toContain('there');
    const { body: attempts } = await viewer.get<{ data: unknown[] }>(`/jobs/${job.id}/attempts`);
    expect(attempts.data).toMatchObject([{ jobId: job.id, number: 1, epoch: 1, workerName: 'lab-7', id: view.currentAttemptId, outcome: null }]);
  }, 60_000);
});

describe('the list of workers', () => {
  it('shows what they are and how they stand', async () => {
    const agent = await harness.agent({ name: 'zeta', slots: 3 });
    const { body } = await viewer.get<WorkerView>(`/workers/${agent.workerId}`);
    expect(body).toMatchObject({ id: agent.workerId, name: 'zeta', link: 'connected', status: 'online', slots: 3, owner: 'workers' });
    expect(body.counters).toMatchObject({ completed: 0, failed: 0, averageSeconds: null });
    const all = (await viewer.get<Page<WorkerView>>('/workers')).body.data;
    expect(all.map((worker) => worker.name)).toContain('zeta');
    expect((await viewer.get<Page<WorkerView>>('/workers?q=ZET')).body.data).toHaveLength(1);
    expect((await viewer.get<Page<WorkerView>>('/workers?status=offline&q=zeta')).body.data).toHaveLength(0);
  });

  it('is read page by page', async () => {
    for (const name of ['page-1', 'page-2', 'page-3']) await harness.agent({ name });
    const first = (await viewer.get<Page<WorkerView>>('/workers?q=page-&limit=2')).body;
    const second = (await viewer.get<Page<WorkerView>>(`/workers?q=page-&limit=2&cursor=${first.nextCursor}`)).body;
    expect([...first.data, ...second.data].map((worker) => worker.name)).toEqual(['page-3', 'page-2', 'page-1']);
    expect(second.nextCursor).toBeNull();
  });
});
