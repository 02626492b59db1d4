/** What a worker over HTTP may not say: refused by the name of the field, and nothing is stored. */
import type { KeyId, Problem, WorkerId } from '@muster/protocol';
import { WAITING_PER_WORKER_MAX, WaitingClaims } from '../src/http-workers/waiting-claims.js';
import { RegistrationLimiter } from '../src/keys/registration-limiter.js';
import { sql } from '../src/database/sql.js';
import { startHarness, type Harness } from './control-plane-harness.js';
import { EXTERNAL, HttpWorker, type ClaimedJob } from './http-worker.js';
import type { Rest } from './rest.js';

const STORED = sql`
  select (select count(*) from worker) as workers,
    (select jsonb_agg(to_jsonb(worker) - 'last_beat_at' - 'sample' order by id) from worker) as rows,
    (select jsonb_agg(to_jsonb(attempt) - 'lease_until' order by id) from attempt) as attempts,
    (select count(*) from metric_point) as points,
    (select coalesce(sum(stored_length), 0) from log_stream) as bytes
`;

let harness: Harness;
let worker: HttpWorker;
let claimed: ClaimedJob;
beforeAll(async () => {
  harness = await startHarness();
  worker = await HttpWorker.register(harness);
  await harness.submit(EXTERNAL);
  claimed = await worker.take();
});
afterAll(() => harness.stop());

const stored = async (): Promise<unknown> => (await harness.database.query(STORED))[0];

async function refusedAt(rest: Rest, path: string, body: unknown): Promise<string[]> {
  const before = await stored();
  const { status, body: problem } = await rest.post<Problem>(path, body);
  expect(status).toBe(400);
  expect(await stored()).toEqual(before);
  return (problem.errors ?? []).map(({ pointer }) => pointer);
}

it.each<[unknown, string[]]>([
  [{}, ['/name']],
  [{ name: '' }, ['/name']],
  [{ name: 7 }, ['/name']],
  [{ name: 'x'.repeat(201) }, ['/name']],
  [{ name: 'a\u0000b' }, ['/name']],
  [{ name: 'x', slots: -1 }, ['/slots']],
  [{ name: 'x', slots: 1.5 }, ['/slots']],
  [{ name: 'x', slots: 1e9 }, ['/slots']],
  [{ name: 'x', slots: 'NaN' }, ['/slots']],
  [{ name: 'x', platform: 'amiga' }, ['/platform']],
  [{ name: 'x', capability: 'tpu' }, ['/capability']],
  [{ name: 'x', runKinds: ['external:slurm'] }, ['/runKinds']],
  [{ name: 'x', runKinds: [] }, ['/runKinds']],
  [{ name: 'x', workerId: 'wkr_1' }, ['/workerId']],
  [{ name: 'x', memoryMb: -1 }, ['/memoryMb']],
  [{ name: 'x', cpuCores: '8' }, ['/cpuCores']],
  [{ name: 'x', diskMb: 1e300 }, ['/diskMb']],
  [{ name: 'x', gpus: [{ index: -1, model: 'H100' }] }, ['/gpus/0/index']],
  [{ name: 'x', gpus: 2 }, ['/gpus']],
  [{ name: 'x', gpus: [null] }, ['/gpus']],
  [{ name: 'x', gpus: [{ index: 0, model: 'H100' }, { index: 0, model: 'H100' }] }, ['/gpus']],
  [{ name: 'x', labels: { zone: 7 } }, ['/labels']],
  [{ name: 'x', contentTypes: [''] }, ['/contentTypes']],
  [{ name: 'x', executions: [{ attemptId: 'att_1', epoch: -1, state: 'gone' }] }, ['/executions/0/attemptId', '/executions/0/epoch', '/executions/0/state']],
  [{ name: 'x', nmae: 'y' }, ['/nmae']],
])('a registration %j is refused', async (body, pointers) => {
  expect(await refusedAt(worker.rest, '/workers/register', body)).toEqual(pointers);
});

it.each<[object, string[]]>([
  [{ session: 0 }, ['/session']],
  [{ session: '1' }, ['/session']],
  [{ executions: 7 }, ['/executions']],
  [{ executions: [7] }, ['/executions']],
  [{ slotsFree: -1 }, ['/slotsFree']],
  [{ paused: 'yes' }, ['/paused']],
  [{ gpusHeld: [-1] }, ['/gpusHeld']],
  [{ sample: { cpuPercent: -1 } }, ['/sample/cpuPercent']],
  [{ sample: { cpuPercent: 'NaN' } }, ['/sample/cpuPercent']],
  [{ sample: { cpuPercent: 101 } }, ['/sample/cpuPercent']],
  [{ sample: { memoryUsedMb: 1e300 } }, ['/sample/memoryUsedMb']],
  [{ sample: [] }, ['/sample']],
  [{ status: 'busy' }, ['/status']],
])('a heartbeat %j is refused', async (body, pointers) => {
  expect(await refusedAt(worker.rest, `/workers/${worker.id}/heartbeat`, body)).toEqual(pointers);
});

it.each<[string, unknown, string[]]>([
  ['renew', { state: 'dead' }, ['/state']],
  ['logs', { offset: 0 }, ['/text']],
  ['logs', { offset: 0, text: 'x', base64: 'eA==' }, ['/text']],
  ['logs', { offset: -1, text: 'x' }, ['/offset']],
  ['logs', { text: 'x' }, ['/offset']],
  ['logs', { offset: 0, base64: 'x' }, ['/base64']],
  ['logs', { offset: 0, text: '' }, ['/text']],
  ['logs', { offset: 0, text: 'x', stream: 'system' }, ['/stream']],
  ['logs', { offset: 0, text: 'x', readAt: 'yesterday' }, ['/readAt']],
  ['logs', { offset: 0, text: 'x'.repeat(262_145) }, ['/text']],
  ['metrics', { offset: 0, points: [] }, ['/points']],
  ['metrics', { offset: 0, points: [{ values: { loss: '0.3' } }] }, ['/points/0/values']],
  ['metrics', { offset: 0, points: [{ step: 0.5, values: {} }] }, ['/points/0/step']],
  ['metrics', { offset: 0, points: [{ step: 1 }] }, ['/points/0/values']],
  ['progress', { fraction: 1.5 }, ['/fraction']],
  ['progress', { fraction: 'half' }, ['/fraction']],
  ['complete', {}, ['/outcome']],
  ['complete', { outcome: 'lost' }, ['/outcome']],
  ['complete', { outcome: 'failed', exitCode: 256 }, ['/exitCode']],
  ['complete', { outcome: 'failed', usage: { cpuSeconds: -1 } }, ['/usage/cpuSeconds']],
  ['complete', { outcome: 'succeeded', logs: { output: { length: 1, sha256: 'X' } } }, ['/logs/output/sha256']],
])('%s %j is refused', async (verb, body, pointers) => {
  expect(await refusedAt(claimed.job, `/attempts/${claimed.attemptId}/${verb}`, body)).toEqual(pointers);
});

it('a measured value that is no number is refused by its name', async () => {
  const { status, body } = await claimed.job.post<Problem>(`/attempts/${claimed.attemptId}/metrics`, { offset: 0, points: [{ values: { step_ms: 'NaN', loss: '0.3' } }] });
  expect(status).toBe(400);
  expect(body.detail).toContain('Expected a number as the value of "loss", or "NaN", "Infinity", "-Infinity"; got "0.3".');
});

it('a wait longer than 30 s is refused, and one for a job that is not a number', async () => {
  expect(await refusedAt(worker.rest, `/workers/${worker.id}/claim`, { waitSeconds: 31 })).toEqual(['/waitSeconds']);
  expect(await refusedAt(worker.rest, `/workers/${worker.id}/claim`, { waitSeconds: 'long' })).toEqual(['/waitSeconds']);
});

it('a body that is no object, no JSON or too large is refused, never with 5xx', async () => {
  const path = `/api/v1/workers/${worker.id}/heartbeat`;
  for (const raw of ['[]', '7', '"x"', '{', '{"session":NaN}', `{"a":${'['.repeat(20)}${']'.repeat(20)}}`]) {
    const { status } = await worker.rest.send('POST', path, { raw });
    expect(`${raw} ${status}`).toBe(`${raw} 400`);
  }
  expect((await worker.rest.send('POST', path, { raw: JSON.stringify({ note: 'x'.repeat(300_000) }) })).status).toBe(413);
  expect((await worker.rest.send('POST', path, { raw: 'x', headers: { 'content-type': 'text/plain' } })).status).toBe(415);
});

it('names that are no ids, and ids that nobody has, are 404', async () => {
  for (const id of ['x', 'wkr_x', encodeURIComponent('wkr_01JDABCDEF0123456789ABCDEF\'--'), 'wkr_01JDABCDEF0123456789ABCDEF']) {
    expect((await worker.rest.post(`/workers/${id}/heartbeat`, {})).status).toBe(404);
    expect((await worker.rest.post(`/attempts/${id.replace('wkr', 'att')}/renew`, {})).status).toBe(404);
  }
});

it('a log goes on only where it ended, and the answer says where that is', async () => {
  expect((await claimed.log(5, 'late')).body).toEqual({ storedLength: 0 });
  expect((await claimed.log(0, 'ä\n')).body).toEqual({ storedLength: 3 });
  expect((await claimed.log(0, 'ä\n')).body).toEqual({ storedLength: 3 });
  expect((await claimed.call('logs', { offset: 3, base64: Buffer.from([0xff, 0x00, 0x0a]).toString('base64') })).body).toEqual({ storedLength: 6 });
  expect((await claimed.call('logs', { offset: 0, stream: 'stderr', text: 'e' })).body).toEqual({ storedLength: 1 });
});

it('more requests of one worker than it could need wait for nothing', async () => {
  const waiting = harness.controlPlane.app.get(WaitingClaims);
  const { id, session } = await HttpWorker.register(harness, { name: 'greedy' });
  for (let n = 0; n < WAITING_PER_WORKER_MAX; n++) waiting.wait({ workerId: id as WorkerId, session, keyId: 'key_x' as KeyId, secretNumber: 1 });
  const { status, headers, body } = await worker.rest.post<Problem>(`/workers/${id}/claim`, { session });
  expect({ status, code: body.code, retryAfter: headers.get('retry-after') }).toEqual({ status: 429, code: 'tooManyRequests', retryAfter: '1' });
  waiting.endAll();
  expect((await worker.rest.post(`/workers/${id}/claim`, { session })).status).toBe(204);
});

it('machines that nobody knew, in a flood, are told when to come again, and known ones are let in', async () => {
  const limiter = jest.spyOn(harness.controlPlane.app.get(RegistrationLimiter), 'take').mockReturnValue(1);
  const flood = await worker.rest.post<Problem>('/workers/register', { name: 'one-too-many' });
  expect(flood).toMatchObject({ status: 429, body: { code: 'tooManyRequests' } });
  expect(flood.headers.get('retry-after')).toBe('1');
  expect(limiter).toHaveBeenCalledWith(expect.stringMatching(/^key_/), expect.stringContaining('127.0.0.1'));
  expect((await worker.rest.post('/workers/register', { name: 'lab-3', executions: [claimed.execution] })).status).toBe(200);
  limiter.mockRestore();
});
