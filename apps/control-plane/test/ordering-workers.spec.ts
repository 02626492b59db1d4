import type { EventView, Page, Problem, WorkerId, WorkerView } from '@muster/protocol';
import { eventually, type FakeAgent } from '@muster/testing';
import { startHarness, type Harness } from './control-plane-harness.js';
import { restAs, type Rest } from './rest.js';

jest.setTimeout(120_000);

let harness: Harness;
let operator: Rest;
let agent: FakeAgent;
let id: WorkerId;
beforeAll(async () => {
  harness = await startHarness();
  operator = await restAs(harness, 'operator', 'olga');
  agent = await harness.agent({ name: 'anvil', slots: 2, inventory: { labels: { zone: 'lab' } } });
  id = agent.workerId as WorkerId;
});
afterAll(() => harness?.stop());

const shown = async (): Promise<WorkerView> => (await operator.get<WorkerView>(`/workers/${id}`)).body;
const patch = (body: unknown, as = operator) => as.send<WorkerView>('PATCH', `/api/v1/workers/${id}`, { body });
/** The words of the same start of the agent on another connection. */
async function helloAgain(inventory: object = {}): Promise<Awaited<ReturnType<FakeAgent['hello']>>> {
  await agent.reconnect();
  const { inventory: said } = agent.helloMessage();
  return agent.hello([], { inventory: { ...said, ...inventory } });
}

describe('what people set about a worker', () => {
  it('stands above what its agent says, also after it was started anew, until it is given back', async () => {
    const wish = { name: 'lab-3', labels: { zone: 'attic', driver: '550' }, contentTypes: ['image'], capability: 'hybrid', slots: 5 };
    const { status, body } = await patch(wish);
    expect([status, body]).toMatchObject([200, { ...wish, overridden: ['name', 'labels', 'contentTypes', 'capability', 'slots'] }]);
    const said = { name: 'anvil', labels: { zone: 'lab' }, contentTypes: ['document', 'web', 'text'], capability: 'cpu', slots: 2 };
    expect(body.said).toEqual(said);

    expect(await helloAgain()).toMatchObject({ name: 'lab-3', slots: 5 });
    const again = await agent.restart();
    expect(again).toMatchObject({ name: 'lab-3', slots: 5 });
    expect(await shown()).toMatchObject({ ...wish, said });
    expect(await agent.beat()).toMatchObject({ slots: 5 });

    expect((await patch({ name: null, slots: null, labels: null })).body).toMatchObject({ name: 'anvil', slots: 2, labels: { zone: 'lab' }, overridden: ['contentTypes', 'capability'] });
    expect((await agent.beat()).slots).toBe(2);
    await patch({ contentTypes: null, capability: null });
    expect(await shown()).toMatchObject({ ...said, overridden: [] });
    const { data } = (await operator.get<Page<EventView>>(`/workers/${id}/events?limit=200`)).body;
    expect(data.filter(({ type, actor }) => type === 'worker.changed' && actor === 'olga').map((event) => event.data['changed'])).toEqual([
      ['slots'], ['name', 'labels', 'contentTypes', 'capability'], ['slots'], ['name', 'labels'], ['contentTypes', 'capability'],
    ]);
  });

  it('is what jobs are matched by, from the next claim on', async () => {
    const jobId = await harness.submit({ needs: { labels: { rack: '7' } } });
    await patch({ labels: { rack: '7' } });
    await agent.beat();
    expect(await agent.nextOffer()).toMatchObject({ jobId });
    await operator.post(`/jobs/${jobId}/cancel`);
    await patch({ labels: null });
  });

  it('does not hide what the agent says by then of what was given back', async () => {
    await patch({ labels: { zone: 'attic' } });
    await helloAgain({ labels: { zone: 'cellar' } });
    expect((await patch({ labels: null })).body.labels).toEqual({ zone: 'cellar' });
  });
});

describe('an order that cannot be meant', () => {
  const cases: readonly [what: string, method: string, path: string, body: unknown, pointer: string][] = [
    ['an unknown policy', 'POST', '/drain', { policy: 'kill' }, '/policy'],
    ['a deadline in the past', 'POST', '/drain', { policy: 'requeue', deadlineSeconds: -1 }, '/deadlineSeconds'],
    ['a deadline after years', 'POST', '/drain', { policy: 'requeue', deadlineSeconds: 1e9 }, '/deadlineSeconds'],
    ['a deadline that is no number', 'POST', '/drain', { deadlineSeconds: '10' }, '/deadlineSeconds'],
    ['half a second', 'POST', '/drain', { deadlineSeconds: 0.5 }, '/deadlineSeconds'],
    ['a policy that needs a deadline and has none', 'POST', '/drain', { policy: 'requeue' }, '/deadlineSeconds'],
    ['checkpoints without a deadline for the rest', 'POST', '/drain', { policy: 'checkpoint' }, '/deadlineSeconds'],
    ['an empty reason', 'POST', '/drain', { reason: '' }, '/reason'],
    ['a mistyped field', 'POST', '/drain', { deadlinSeconds: 1 }, '/deadlinSeconds'],
    ['a field of another order', 'POST', '/cordon', { policy: 'wait' }, '/policy'],
    ['a list where an order stands', 'POST', '/undrain', [], ''],
    ['an empty name', 'PATCH', '', { name: '' }, '/name'],
    ['a name of a kilobyte', 'PATCH', '', { name: 'x'.repeat(1_000) }, '/name'],
    ['a label without a name', 'PATCH', '', { labels: { '': 'x' } }, '/labels'],
    ['a label of a number', 'PATCH', '', { labels: { zone: 7 } }, '/labels'],
    ['labels as a list', 'PATCH', '', { labels: ['zone'] }, '/labels'],
    ['content types twice the same', 'PATCH', '', { contentTypes: ['image', 'image'] }, '/contentTypes'],
    ['an unknown capability', 'PATCH', '', { capability: 'tpu' }, '/capability'],
    ['no slots', 'PATCH', '', { slots: 0 }, '/slots'],
    ['slots beyond measure', 'PATCH', '', { slots: 513 }, '/slots'],
    ['slots as text', 'PATCH', '', { slots: '4' }, '/slots'],
    ['a field nobody may set', 'PATCH', '', { owner: 'me' }, '/owner'],
    ['a force that is neither', 'DELETE', '?force=maybe', undefined, '?force'],
  ];

  it.each(cases)('is refused: %s', async (_what, method, path, body, pointer) => {
    const before = await shown();
    const problem = await operator.refused(method, `/api/v1/workers/${id}${path}`, body === undefined ? {} : { body });
    expect(problem).toMatchObject({ status: 400, code: 'invalidRequest', errors: [{ pointer }] });
    expect(await shown()).toMatchObject({ maintenance: null, name: before.name, slots: before.slots, overridden: before.overridden });
  });

  it.each([
    ['POST', '/cordon'], ['POST', '/drain'], ['POST', '/undrain'], ['PATCH', ''], ['DELETE', ''],
  ])('is refused to those who may not give it: %s %s', async (method, path) => {
    for (const role of ['submitter', 'viewer'] as const) {
      const problem: Problem = await (await restAs(harness, role, 'workers')).refused(method, `/api/v1/workers/${id}${path}`, method === 'DELETE' ? {} : { body: {} });
      expect(problem).toMatchObject({ status: 403, code: 'forbidden' });
    }
    const unknown = 'wkr_01JDABCDEF0123456789ABCDEF';
    expect(await operator.refused(method, `/api/v1/workers/${unknown}${path}`, method === 'DELETE' ? {} : { body: method === 'PATCH' ? { slots: 1 } : {} })).toMatchObject({ status: 404 });
  });
});

describe('a removed worker', () => {
  it('is refused while it holds a job, is told, stays readable, and cannot come back', async () => {
    const { agent: leaver, workerId } = await another();
    const jobId = await harness.submit({ needs: { labels: { own: 'leaver' } } });
    const offer = await leaver.nextOffer();
    await leaver.start(offer);
    expect(await operator.refused('DELETE', `/api/v1/workers/${workerId}`)).toMatchObject({ status: 409, code: 'illegalTransition', detail: 'The worker holds 1 job.' });

    const { status, body } = await operator.send<WorkerView>('DELETE', `/api/v1/workers/${workerId}?force=true`);
    expect([status, body]).toMatchObject([200, { status: 'offline', removedAt: expect.any(String), slotsUsed: 0 }]);
    expect(await eventually('it is told', () => leaver.closings[0])).toMatchObject({ reason: 'removed' });
    expect(await harness.job(jobId)).toMatchObject({ status: 'queued', reason: 'workerStopped' });
    expect((await operator.send<WorkerView>('DELETE', `/api/v1/workers/${workerId}`)).body.removedAt).toBe(body.removedAt);
    expect((await operator.get<Page<WorkerView>>('/workers')).body.data.map((worker) => worker.id)).not.toContain(workerId);
    for (const path of ['cordon', 'drain', 'undrain']) {
      expect(await operator.refused('POST', `/api/v1/workers/${workerId}/${path}`, { body: {} })).toMatchObject({ status: 409, detail: 'The worker was removed.' });
    }
    expect(await operator.refused('PATCH', `/api/v1/workers/${workerId}`, { body: { name: 'again' } })).toMatchObject({ status: 409 });

    await leaver.reconnect();
    await expect(leaver.hello()).rejects.toThrow();
    expect(await eventually('it is told again', () => leaver.closings[1])).toMatchObject({ reason: 'removed' });
    await operator.post(`/jobs/${jobId}/cancel`);
  });

  async function another(): Promise<{ agent: FakeAgent; workerId: WorkerId }> {
    const leaver = await harness.agent({ name: 'leaver', slots: 1, inventory: { labels: { own: 'leaver' } } });
    return { agent: leaver, workerId: leaver.workerId as WorkerId };
  }
});

describe('events of a worker', () => {
  it('are told page by page, oldest first, to whoever may look', async () => {
    const viewer = await restAs(harness, 'viewer');
    const all = (await viewer.get<Page<EventView>>(`/workers/${id}/events?limit=200`)).body.data;
    const first = (await viewer.get<Page<EventView>>(`/workers/${id}/events?limit=2`)).body;
    const second = (await viewer.get<Page<EventView>>(`/workers/${id}/events?limit=2&cursor=${first.nextCursor}`)).body;
    expect([...first.data, ...second.data]).toEqual(all.slice(0, 4));
    expect(all[0]).toMatchObject({ type: 'worker.registered', workerId: id, jobId: null });
    expect(await viewer.refused('GET', '/api/v1/workers/wkr_01JDABCDEF0123456789ABCDEF/events')).toMatchObject({ status: 404 });
  });
});
