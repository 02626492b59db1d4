import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import type { OpenAPIObject } from '@nestjs/swagger';
import { KEY_PREFIXES, ROLES } from '@muster/protocol';
import type { Problem } from '@muster/protocol';
import { FakeAgent } from '@muster/testing';
import { FinetunelabController } from '../src/compat/finetunelab/finetunelab.controller.js';
import { TrainingController } from '../src/compat/finetunelab/training/training.controller.js';
import { MoragController } from '../src/compat/morag/morag.controller.js';
import { INSTEAD_OF_KEY } from '../src/http/access.js';
import { createOpenApiDocument } from '../src/http/openapi.js';
import { sql } from '../src/database/sql.js';
import { startHarness } from './control-plane-harness.js';
import type { Harness } from './control-plane-harness.js';
import { EXTERNAL, HttpWorker } from './http-worker.js';
import { Rest, restAs } from './rest.js';

const VERBS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
/** Everything that answers without a key. Anything else that does is a hole. */
const PUBLIC = new Set(['GET /', 'GET /health/live', 'GET /health/ready', 'GET /api/openapi.json', 'GET /api/docs', 'GET /api/docs/start.js', 'GET /api/docs/:asset']);
/** Contracts of other systems want a credential elsewhere, or none: what stands in its place, and what whoever sends nothing is answered. */
const CONTRACTS: Readonly<Record<string, readonly [insteadOfKey: string, status: number]>> = {
  'POST /compat/finetunelab/api/workers/register': ['a worker key as `api_key` in the body', 400],
  'POST /compat/finetunelab/api/workers/:id/heartbeat': ["a worker key as `X-API-Key`, of the worker's owner", 401],
  'PATCH /compat/finetunelab/api/training/local/:jobId/status': ['the token of the job as bearer', 401],
  'GET /compat/finetunelab/api/training/local/:jobId/status': ['the token of the job as bearer', 401],
  'POST /compat/finetunelab/api/training/local/:jobId/logs': ['the token of the job as bearer', 401],
  'GET /compat/finetunelab/api/training/local/:jobId/logs': ['the token of the job as bearer', 401],
  'PUT /compat/finetunelab/api/training/local/:jobId/metrics': ['the token of the job as bearer', 401],
  'GET /compat/finetunelab/api/training/local/:jobId/metrics': ['the token of the job as bearer', 401],
  'POST /compat/morag/api/v1/workers/register': ['a worker key as `auth_token` in the body', 422],
  'POST /compat/morag/api/v1/workers/:id/heartbeat': ["knowing the worker's id: the contract sends nothing else", 422],
  'DELETE /compat/morag/api/v1/workers/:id': ["knowing the worker's id: the contract sends nothing else", 404],
  'GET /compat/morag/api/v1/workers': ["a worker key as bearer, of the worker's owner", 401],
  'GET /compat/morag/api/v1/workers/stats': ["a worker key as bearer, of the worker's owner", 401],
  'GET /compat/morag/api/v1/workers/:id': ["a worker key as bearer, of the worker's owner", 401],
};
const JOB = 'job_01JDABCDEF0123456789ABCDEF';

interface Layer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
}

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

/** Every address Express knows, as Nest registered it. */
function addresses(): string[] {
  const express = harness.controlPlane.app.getHttpAdapter().getInstance() as { router: { stack: Layer[] } };
  return [...new Set(express.router.stack.flatMap((layer) => layer.route?.path ?? []))];
}

const concrete = (path: string): string => path.replace('{*path}', 'no/such/place').replace(':asset', 'swagger-ui.css').replace(':id', JOB);

/** What the adapters' routes declare. */
function insteadOfKeys(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const controller of [FinetunelabController, TrainingController, MoragController]) {
    for (const name of Object.getOwnPropertyNames(controller.prototype)) {
      const handler = Reflect.get(controller.prototype, name) as object;
      if (!Reflect.hasMetadata(METHOD_METADATA, handler)) continue;
      const instead = (Reflect.getMetadata(INSTEAD_OF_KEY, handler) ?? Reflect.getMetadata(INSTEAD_OF_KEY, controller)) as string;
      const verb = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
      const paths = [Reflect.getMetadata(PATH_METADATA, controller), Reflect.getMetadata(PATH_METADATA, handler)] as string[];
      found[`${verb} /${paths.filter((path) => path !== '/').join('/')}`] = instead;
    }
  }
  return found;
}

const anonymous = (): Rest => new Rest(harness.controlPlane.url);

interface Operation {
  readonly operationId: string;
  readonly 'x-requires'?: string;
}
const operations = (document: OpenAPIObject): [verb: string, path: string, operation: Operation][] =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(([verb, operation]): [string, string, Operation] => [verb.toUpperCase(), path, operation]),
  );
/** A body of each call of an attempt that has the agreed shape. */
const SMALLEST_OF_ATTEMPTS: Readonly<Record<string, object>> = {
  startAttempt: {}, renewAttempt: {}, appendLog: { offset: 0, text: 'x' }, appendMetrics: { offset: 0, points: [{ values: { loss: 1 } }] },
  reportProgress: {}, completeAttempt: { outcome: 'succeeded' },
};

describe('without a key', () => {
  it('every address answers 401 to every verb, with one body for all', async () => {
    expect(addresses()).toEqual(expect.arrayContaining(['/api/v1/jobs', '/api/v1/jobs/:id/cancel', '/api/v1/keys/:id', '/{*path}']));
    const answers = new Set<string>();
    for (const path of [...addresses(), '/api/v1/jobs/..%2f..', '/metrics', '/api/v2/jobs', '/socket.io.bak']) {
      for (const verb of VERBS) {
        if (`${verb === 'HEAD' ? 'GET' : verb} ${path}` in CONTRACTS) continue;
        if (PUBLIC.has(`${verb} ${path}`) || (verb === 'HEAD' && PUBLIC.has(`GET ${path}`))) continue;
        const { status, body, headers } = await anonymous().send<Problem>(verb, concrete(path));
        // A word of another system's path where its id belongs: nobody has it, or a key is wanted; said in that system's own words.
        if (path.startsWith('/compat/')) {
          expect([401, 404]).toContain(status);
          continue;
        }
        expect(`${verb} ${path} ${status}`).toBe(`${verb} ${path} 401`);
        expect(headers.get('allow')).toBeNull();
        expect(headers.get('www-authenticate')).toBe('Bearer realm="muster"');
        if (verb !== 'HEAD') answers.add(JSON.stringify({ ...body, requestId: '' }));
      }
    }
    expect([...answers]).toEqual([
      JSON.stringify({
        type: '/problems/unauthenticated',
        title: 'A valid key is needed',
        status: 401,
        code: 'unauthenticated',
        detail: 'A key is needed and none was sent.',
        hint: 'Send it as `Authorization: Bearer <key>`.',
        requestId: '',
      }),
    ]);
  }, 60_000);

  it('files without data and health answer', async () => {
    for (const route of PUBLIC) {
      const { status, text } = await anonymous().send('GET', concrete(route.slice('GET '.length)));
      expect(`${route} ${status}`).toBe(`${route} 200`);
      expect(text.length).toBeGreaterThan(0);
    }
    expect((await anonymous().send('GET', '/health/live')).text).toBe('ok');
    expect((await anonymous().send('GET', '/health/ready')).text).toBe('ok');
  });

  it("routes of other systems' contracts ask for what they declare, in the words of that system", async () => {
    expect(insteadOfKeys()).toEqual(Object.fromEntries(Object.entries(CONTRACTS).map(([route, [instead]]) => [route, instead])));
    for (const [route, [, expected]] of Object.entries(CONTRACTS)) {
      const [verb = '', path = ''] = route.split(' ');
      const { status, body } = await anonymous().send(verb, concrete(path));
      expect(`${route} ${status}`).toBe(`${route} ${expected}`);
      expect(Object.keys(body as object)).toEqual([path.includes('morag') ? 'detail' : 'error']);
    }
  });

  it('a megabyte is not read before the refusal', async () => {
    const answer = await anonymous().send<Problem>('POST', '/api/v1/jobs', { raw: 'x'.repeat(1_000_000) });
    expect(answer.body.code).toBe('unauthenticated');
    expect(answer.headers.get('connection')).toBe('close');
  });
});

describe('the roles', () => {
  /** What the document says each route needs; it is made from the same decorators that the guard reads. */
  const REQUIRED: Readonly<Record<string, string>> = {
    listJobs: 'viewer', getJob: 'viewer', submitJob: 'submitter', cancelJob: 'submitter', pauseJob: 'submitter', resumeJob: 'submitter', requeueJob: 'submitter', abandonJob: 'submitter', listAttempts: 'viewer',
    listJobEvents: 'viewer', listJobMetrics: 'viewer', explainJob: 'viewer', readLog: 'viewer', downloadLog: 'viewer',
    listWorkers: 'viewer', getWorker: 'viewer', getWorkerStats: 'viewer', getStats: 'viewer', listWorkerEvents: 'viewer', getWorkerSamples: 'viewer', getJobSamples: 'viewer',
    cordonWorker: 'operator', drainWorker: 'operator', undrainWorker: 'operator', updateWorker: 'operator', removeWorker: 'operator',
    registerWorker: 'worker', heartbeat: 'worker', claimJob: 'worker',
    startAttempt: 'workerOrJob', renewAttempt: 'workerOrJob', appendLog: 'workerOrJob', appendMetrics: 'workerOrJob', reportProgress: 'workerOrJob', completeAttempt: 'workerOrJob',
    listKeys: 'admin', createKey: 'admin', rotateKey: 'admin', revokeKey: 'admin',
    listEnrolmentTokens: 'admin', createEnrolmentToken: 'admin', revokeEnrolmentToken: 'admin', enrol: 'enrolmentToken',
    getMe: 'anyKey', getMeta: 'anyKey', getLive: 'public', getReady: 'public',
  };

  it('are declared on every route', () => {
    const declared = operations(createOpenApiDocument(harness.controlPlane.app)).map(([, , operation]) => [
      operation.operationId,
      operation['x-requires'] ?? 'public',
    ]);
    expect(Object.fromEntries(declared)).toEqual(REQUIRED);
    expect(declared).toHaveLength(Object.keys(REQUIRED).length);
  });

  it('are refused with 403 below what a route needs, naming both', async () => {
    const ladder = ['viewer', 'submitter', 'operator', 'admin'];
    const callers = await Promise.all(ROLES.map(async (role) => ({ role, rest: await restAs(harness, role) })));
    for (const [verb, path, operation] of operations(createOpenApiDocument(harness.controlPlane.app))) {
      const needed = operation['x-requires'] ?? 'public';
      for (const { role, rest } of callers) {
        const isWorkers = needed === 'worker' || needed === 'workerOrJob';
        const isLetIn = needed === 'public' || needed === 'anyKey' || (isWorkers && role === 'worker') || (ladder.includes(needed) && ladder.indexOf(role) >= ladder.indexOf(needed));
        const { status, body } = await rest.send<Problem>(verb, path.replace('{id}', JOB));
        expect(`${verb} ${path} as ${role}: ${status === 403 ? 'forbidden' : 'let in'}`).toBe(`${verb} ${path} as ${role}: ${isLetIn ? 'let in' : 'forbidden'}`);
        const what = needed === 'enrolmentToken' ? 'an enrolment token' : `the role ${needed}`;
        if (!isLetIn) expect(body.detail).toBe(`This needs ${what}; the key ${role} has the role ${role}.`);
      }
    }
  }, 60_000);
});

describe('a key', () => {
  const KEY_HASHES = sql`select encode(secret_hash, 'hex') as hash, prefix from api_key`;

  it('is stored as a hash only', async () => {
    const { secret } = await harness.createKey('viewer');
    const rows = await harness.database.query<{ hash: string; prefix: string }>(KEY_HASHES);
    expect(JSON.stringify(rows)).not.toContain(secret.slice(20));
    expect(rows.map((row) => row.prefix)).toContain(secret.slice(0, KEY_PREFIXES.viewer.length + 8));
  });

  it('that is wrong is answered like one nobody has', async () => {
    const admin = await restAs(harness, 'admin');
    const { secret } = await harness.createKey('viewer');
    const made = await admin.post<{ secret: string }>('/keys', { name: 'other', role: 'viewer' });
    // The id of one key with the random part of another, checksum and all: only the hash can tell.
    const { formatKey, parseKey } = await import('../src/keys/key-format.js');
    const parsed = parseKey(secret);
    if (parsed.kind !== 'key') throw new Error('not a key');
    const wrong = formatKey('viewer', parsed.id, Buffer.alloc(32, 7));
    const unknown = formatKey('viewer', 'key_01JDABCDEF0123456789ABCDEF' as typeof parsed.id, Buffer.alloc(32, 7));
    const [one, other] = await Promise.all([wrong, unknown].map((key) => new Rest(harness.controlPlane.url, key).refused('GET', '/api/v1/me')));
    expect({ ...one, requestId: '' }).toEqual({ ...other, requestId: '' });
    expect(one?.status).toBe(401);
    expect(made.status).toBe(201);
  });

  it('in a URL is refused, also where no key is needed', async () => {
    const { secret } = await harness.createKey('viewer');
    for (const path of [`/api/v1/jobs?key=${secret}`, `/api/v1/jobs?q=${secret}`, `/?x=${secret}`, `/api/v1/jobs/${secret}`, '/api/v1/jobs?token=abc', `/api/v1/me?a=%6d${secret.slice(1)}`]) {
      const problem = await new Rest(harness.controlPlane.url, secret).refused('GET', path);
      expect(`${path} ${problem.code}`).toBe(`${path} keyInUrl`);
      expect(JSON.stringify(problem)).not.toContain(secret.slice(0, 24));
    }
  });
});

// Last: these are refused more often than an address may be.
describe('an enrolment token', () => {
  it('opens one door only, and no socket', async () => {
    const admin = await restAs(harness, 'admin');
    const { token } = (await admin.post<{ token: string }>('/keys/enrolment-tokens', { name: 'lab-3' })).body;
    const holder = new Rest(harness.controlPlane.url, token);
    for (const [verb, path, operation] of operations(createOpenApiDocument(harness.controlPlane.app))) {
      const needed = operation['x-requires'] ?? 'public';
      if (needed === 'public') continue;
      const { status } = await holder.send<Problem>(verb, path.replace('{id}', JOB));
      const isRefused = status === 401 || status === 429;
      expect(`${verb} ${path}: ${isRefused ? 'refused' : 'let in'}`).toBe(`${verb} ${path}: ${needed === 'enrolmentToken' ? 'let in' : 'refused'}`);
    }
    await expect(FakeAgent.join({ url: harness.controlPlane.url, key: token })).rejects.toMatchObject({ code: expect.stringMatching(/^(unauthenticated|flood)$/) });
  });
});

describe('the token of an attempt', () => {
  it('opens the calls of its own attempt and nothing else, and no socket', async () => {
    const worker = await HttpWorker.register(harness);
    const [own, other] = [await harness.submit(EXTERNAL), await harness.submit(EXTERNAL)];
    const { job, attemptId, jobId } = await worker.take();
    const second = await (await HttpWorker.register(harness, { name: 'lab-4' })).take();
    expect([jobId, second.jobId].sort()).toEqual([own, other].sort());
    for (const [verb, path, operation] of operations(createOpenApiDocument(harness.controlPlane.app))) {
      const needed = operation['x-requires'] ?? 'public';
      if (needed === 'public') continue;
      const isOfAttempts = needed === 'workerOrJob';
      const { status } = await job.send<Problem>(verb, path.replace('{id}', isOfAttempts ? second.attemptId : JOB), isOfAttempts ? { body: SMALLEST_OF_ATTEMPTS[operation.operationId] } : {});
      const isRefused = isOfAttempts ? status === 403 : status === 401 || status === 429;
      expect(`${verb} ${path}: ${isRefused ? 'refused' : status}`).toBe(`${verb} ${path}: refused`);
    }
    for (const verb of ['start', 'renew']) expect((await job.post(`/attempts/${attemptId}/${verb}`, {})).status).toBe(200);
    await expect(FakeAgent.join({ url: harness.controlPlane.url, key: job.key ?? '' })).rejects.toMatchObject({ code: expect.stringMatching(/^(unauthenticated|flood)$/) });
  });
});
