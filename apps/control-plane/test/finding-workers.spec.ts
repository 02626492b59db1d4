import type { EventView, Page, WorkerFault, WorkerView } from '@muster/protocol';
import { eventually, type FakeAgent } from '@muster/testing';
import { sql } from '../src/database/sql.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { Rest, restAs } from './rest.js';

jest.setTimeout(120_000);

let harness: Harness;
let viewer: Rest;
beforeAll(async () => {
  harness = await startHarness();
  viewer = await restAs(harness, 'viewer');
});
afterAll(() => harness?.stop());

const list = async (query: string): Promise<Page<WorkerView>> => {
  const { status, body, text } = await viewer.get<Page<WorkerView>>(`/workers${query}`);
  if (status !== 200) throw new Error(text);
  return body;
};
const names = async (query: string): Promise<string[]> => (await list(query)).data.map(({ name }) => name).sort();
const show = async ({ workerId }: FakeAgent): Promise<WorkerView> => (await viewer.get<WorkerView>(`/workers/${workerId}`)).body;
const encoded = (labels: string): string => `?label=${encodeURIComponent(labels)}`;

describe('a list of workers', () => {
  let alice: FakeAgent;
  let gone: FakeAgent;
  const here: FakeAgent[] = [];
  beforeAll(async () => {
    alice = await harness.agent({ name: 'alice', slots: 1, inventory: { labels: { driver: '550.54.15', zone: 'lab' } } });
    here.push(alice, await harness.agent({ name: 'bob', inventory: { capability: 'gpu', contentTypes: ['image'], labels: { driver: '535', zone: 'yard', spot: '' } } }));
    here.push(await harness.agent({ name: 'carol', inventory: { capability: 'hybrid', contentTypes: ['image', 'text'], labels: { zone: 'lab' } } }));
    const { secret } = await harness.createKey('worker', 'maria');
    here.push(await harness.agent({ name: 'dora', slots: 0, key: secret }));
    gone = await harness.agent({ name: 'emil' });
    await harness.database.execute(sql`update worker set removed_at = now() where id = $1`, [gone.workerId]);
  });
  // However long the tests before took, nobody is silent.
  beforeEach(() => Promise.all(here.map((agent) => agent.beat())));

  it('is narrowed by what they are', async () => {
    expect(await names('')).toEqual(['alice', 'bob', 'carol', 'dora']);
    expect(await names('?capability=gpu')).toEqual(['bob']);
    expect(await names('?capability=gpu,hybrid')).toEqual(['bob', 'carol']);
    expect(await names('?contentType=image')).toEqual(['bob', 'carol']);
    expect(await names('?contentType=IMAGE')).toEqual([]);
    expect(await names('?owner=maria')).toEqual(['dora']);
    expect(await names('?q=AR')).toEqual(['carol']);
    expect(await names('?capability=hybrid&contentType=text&owner=workers&q=c')).toEqual(['carol']);
  });

  it('is narrowed by labels, which compare as numbers and versions', async () => {
    expect(await names(encoded('driver>=550'))).toEqual(['alice']);
    expect(await names(encoded('driver<550'))).toEqual(['bob']);
    expect(await names(encoded('driver>535.9,zone=lab'))).toEqual(['alice']);
    expect(await names(encoded('zone!=lab'))).toEqual(['bob', 'dora']);
    expect(await names(encoded('spot'))).toEqual(['bob']);
  });

  it('is refused with labels that do not parse, pointing at the character', async () => {
    const refusal = await viewer.refused('GET', `/api/v1/workers${encoded('zone=lab,driver>=x')}`);
    expect(refusal).toMatchObject({ status: 400, code: 'invalidRequest', errors: [{ pointer: '?label' }] });
    expect(refusal.detail).toContain('wrong at character 18 of "zone=lab,driver>=x"');
    for (const query of ['?label=', '?status=idle', '?capability=tpu', '?available=yes', '?contentType=', '?includeRemoved=1', '?owner=']) {
      expect(await viewer.refused('GET', `/api/v1/workers${query}`)).toMatchObject({ status: 400 });
    }
  });

  it('is narrowed by how they stand, as the stats count them', async () => {
    expect(await names('?available=true')).toEqual(['alice', 'bob', 'carol']);
    await harness.submit({ needs: { labels: { driver: '>=550' } } });
    const offer = await alice.nextOffer();
    await alice.start(offer);
    expect(await names('?status=busy')).toEqual(['alice', 'dora']);
    expect(await names('?available=true')).toEqual(['bob', 'carol']);
    expect(await names('?available=false&status=busy&q=ali')).toEqual(['alice']);
    const { body: stats } = await viewer.get('/workers/stats');
    expect(stats).toEqual({
      total: 4, online: 2, offline: 0, busy: 2, error: 0, maintenance: 0, cpuWorkers: 2, gpuWorkers: 1, hybridWorkers: 1, available: 2,
    });
    await alice.end(offer);
    await eventually('it counts what it completed', async () => (await show(alice)).counters.completed === 1);
    expect(await show(alice)).toMatchObject({ healthy: true, available: true, counters: { active: 0, completed: 1, failed: 0 } });
  });

  it('has removed ones only where they are asked for, and shows them as gone', async () => {
    expect(await names('?includeRemoved=true')).toContain('emil');
    expect(await names('?includeRemoved=true&available=true')).not.toContain('emil');
    expect(await show(gone)).toMatchObject({ name: 'emil', status: 'offline', available: false, removedAt: expect.stringMatching(/Z$/) });
    expect((await list('')).data.every(({ removedAt }) => removedAt === null)).toBe(true);
  });
});

describe('a worker', () => {
  it('is somewhere: as it calls itself, and as its connection shows it', async () => {
    const agent = await harness.agent({ inventory: { hostname: 'lab-9' } });
    expect((await show(agent)).location).toEqual({ hostname: 'lab-9', address: expect.stringMatching(/127\.0\.0\.1$/), latencyMs: null });
    expect((await show(agent)).versionSkew).toBe('older');
  });

  const events = async (agent: FakeAgent, type: string): Promise<readonly EventView[]> =>
    (await viewer.get<Page<EventView>>(`/workers/${agent.workerId}/events`)).body.data.filter((event) => event.type === type);

  it('that comes back changed says what it was and what it is', async () => {
    const agent = await harness.agent({ name: 'fred', inventory: { memoryMb: 8_000, labels: { zone: 'lab' } } });
    const { inventory } = agent.helloMessage();
    await agent.hello();
    expect(await events(agent, 'worker.changed')).toEqual([]);
    await agent.hello([], { inventory: { ...inventory, memoryMb: 16_000, labels: { zone: 'yard' } } });
    expect((await events(agent, 'worker.changed')).map(({ data }) => data)).toEqual([{
      changed: ['memoryMb', 'labels'],
      values: { memoryMb: { before: 8_000, now: 16_000 }, labels: { before: { zone: 'lab' }, now: { zone: 'yard' } } },
    }]);
  });

  it('is in error while its agent tells a fault, and says when it came and went', async () => {
    const agent = await harness.agent();
    const tell = (faults: readonly WorkerFault[]): Promise<unknown> => agent.ask('worker:beat', {
      session: agent.session, executions: [], paused: false, slotsFree: 2, sample: { cpuPercent: 1, memoryUsedMb: 1, diskFreeMb: 1, faults },
    });
    await tell([{ code: 'diskFloor', detail: '12 MB are free' }]);
    await eventually('the fault is shown', async () => (await show(agent)).status === 'error');
    await tell([{ code: 'diskFloor', detail: '11 MB are free' }, { code: 'gpuTool', detail: 'does not answer' }]);
    await tell([]);
    await eventually('the fault is over', async () => (await show(agent)).status === 'online');
    const told = (all: readonly EventView[]): unknown => all.map(({ actor, data }) => [actor.startsWith('worker '), data['code'], data['detail']]);
    expect(told(await events(agent, 'worker.faultAppeared'))).toContainEqual([true, 'diskFloor', '12 MB are free']);
    expect(told(await events(agent, 'worker.faultCleared'))).toContainEqual([true, 'diskFloor', expect.stringContaining('MB are free')]);
    expect((await events(agent, 'worker.faultAppeared')).filter(({ data }) => data['code'] === 'diskFloor')).toHaveLength(1);
  });

  it('runs on a system that has one word, whoever says it', async () => {
    const { secret } = await harness.createKey('worker', 'systems');
    // An agent of the first version, which said what Node says.
    await harness.agent({ name: 'by-socket', key: secret, inventory: { platform: 'win32' as 'windows' } });
    const rest = new Rest(harness.controlPlane.url, secret);
    expect((await rest.post('/workers/register', { name: 'by-rest', platform: 'windows' })).status).toBe(200);
    const body = { api_key: secret, hostname: 'by-adapter', platform: 'windows', version: '1' };
    expect((await rest.send('POST', '/compat/finetunelab/api/workers/register', { body })).status).toBe(200);
    const said = (await list('?owner=systems')).data.map(({ name, inventory }) => [name, inventory.platform]);
    expect(new Map(said as [string, string][])).toEqual(new Map([['by-socket', 'windows'], ['by-rest', 'windows'], ['by-adapter', 'windows']]));
  });

  it.each([
    ['a platform that is none', { platform: 'plan10' }, 'inventory.platform'],
    ['memory below nothing', { memoryMb: -1 }, 'inventory.memoryMb'],
    ['more cores than any machine has', { cpuCores: 1e9 }, 'inventory.cpuCores'],
    ['an absurd disk', { diskMb: 1e15 }, 'inventory.diskMb'],
    ['a text for a number', { memoryMb: JSON.parse('"8 GB"') as number }, 'inventory.memoryMb'],
    ['an unknown capability', { capability: 'tpu' as 'gpu' }, 'inventory.capability'],
    ['a GPU twice', { gpus: [0, 0].map((index) => ({ index, uuid: null, model: 'A', memoryMb: null, driver: null })) }, 'inventory.gpus[1].index'],
  ])('is not taken with %s, and nothing of it is stored', async (_, inventory, at) => {
    const agent = await harness.agent({ name: 'before' });
    const before = await show(agent);
    const hello = { ...agent.helloMessage(), name: 'after' };
    const answer = await agent.call('worker:hello', { ...hello, inventory: { ...hello.inventory, ...inventory } });
    expect(answer).toMatchObject({ error: { code: 'invalidMessage', detail: expect.stringContaining(at) } });
    expect(await show(agent)).toMatchObject({ name: 'before', inventory: before.inventory });
  });
});
