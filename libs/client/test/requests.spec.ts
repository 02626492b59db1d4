import { PROBLEMS } from '@muster/protocol';
import { InvalidRequest, Muster, TryLater, UnexpectedAnswer, Unreachable, WaitTimedOut } from '../src/index.js';
import {
  hangUp,
  instantTiming,
  json,
  startScriptedServer,
  type Answer,
  type ScriptedServer,
} from './scripted-server.js';

const servers: ScriptedServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function setup(...answers: readonly Answer[]) {
  const server = await startScriptedServer(...answers);
  servers.push(server);
  const timing = instantTiming();
  return { server, timing, muster: new Muster({ url: `${server.url}/`, key: 'mst_sub_x', timing }) };
}

const unavailable = json(
  { code: 'unavailable', status: 503, title: PROBLEMS.unavailable.title, detail: 'no database', requestId: 'r' },
  503,
);
const job = (status: string): object => ({ id: 'job_1', status });

describe('a request', () => {
  it('carries the key as a bearer token and never in its address', async () => {
    const { server, muster } = await setup(json({ owner: 'maria' }));
    await expect(muster.me()).resolves.toEqual({ owner: 'maria' });
    expect(server.calls[0]).toMatchObject({
      method: 'GET',
      url: '/api/v1/me',
      headers: { authorization: 'Bearer mst_sub_x' },
    });
  });

  it('that reads is tried again when the connection breaks', async () => {
    const { server, timing, muster } = await setup(hangUp, unavailable, json({ version: '1' }));
    await expect(muster.meta()).resolves.toEqual({ version: '1' });
    expect(server.calls).toHaveLength(3);
    expect(timing.pausesMs).toEqual([125, 250]);
  });

  it('waits as long as the control plane asks', async () => {
    const busy = json({ code: 'tooManyRequests', detail: 'slow down', requestId: 'r' }, 429, { 'retry-after': '3' });
    const { timing, muster } = await setup(busy, json({}));
    await muster.meta();
    expect(timing.pausesMs).toEqual([3_000]);
  });

  it('gives up after four tries and says what the last one met', async () => {
    const { server, muster } = await setup(unavailable);
    await expect(muster.meta()).rejects.toMatchObject({
      constructor: TryLater,
      code: 'unavailable',
      detail: 'no database',
    });
    expect(server.calls).toHaveLength(4);
  });

  it('that is refused is not tried again', async () => {
    const { server, muster } = await setup(json({ code: 'invalidRequest', detail: 'no', requestId: 'r' }, 400));
    await expect(muster.meta()).rejects.toBeInstanceOf(InvalidRequest);
    expect(server.calls).toHaveLength(1);
  });

  it('to a place where nothing listens says so', async () => {
    const { server, muster } = await setup(json({}));
    await server.close();
    await expect(muster.meta()).rejects.toMatchObject({
      constructor: Unreachable,
      code: 'unreachable',
      status: null,
      detail: expect.stringContaining('nothing listens there'),
    });
  });

  it('in TLS to a place that speaks plain HTTP says so, and which address to try', async () => {
    const { server, timing } = await setup(json({}));
    const muster = new Muster({ url: server.url.replace('http:', 'https:'), timing });
    await expect(muster.meta()).rejects.toMatchObject({
      code: 'unreachable',
      detail: expect.stringMatching(/: what listens there does not speak TLS\.$/),
      hint: `Try ${server.url}: it seems to speak plain HTTP.`,
    });
  });

  it('answered with a page instead of JSON says so', async () => {
    const { muster } = await setup((_call, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    );
    await expect(muster.meta()).rejects.toBeInstanceOf(UnexpectedAnswer);
  });

  it('does not take its key along a redirect', async () => {
    const { server: other } = await setup(json({}));
    const { muster } = await setup((_call, response) =>
      response.writeHead(302, { location: `${other.url}/api/v1/me` }).end(),
    );
    await expect(muster.me()).rejects.toBeInstanceOf(Unreachable);
    expect(other.calls).toHaveLength(0);
  });

  it('that was aborted rejects with the reason of the abort', async () => {
    const { muster } = await setup(() => undefined);
    const abort = new AbortController();
    const answer = muster.meta({ signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(answer).rejects.toThrow('enough');
  });

  it('that takes longer than its time is unreachable', async () => {
    const { server } = await setup(() => undefined);
    const muster = new Muster({ url: server.url, timeoutMs: 50, retry: { triesMax: 1 } });
    await expect(muster.meta()).rejects.toMatchObject({
      code: 'unreachable',
      detail: expect.stringContaining('too long'),
    });
  });

  it.each(['ftp://x', 'nonsense', 'http://user:pw@host', 'http://host/?key=1'])(
    'to %s is refused before it is sent',
    (url) => {
      expect(() => new Muster({ url })).toThrow('is not the address of a control plane');
    },
  );
});

describe('a submit', () => {
  it('carries the same idempotency key in every try and another one in the next submit', async () => {
    const { server, muster } = await setup(hangUp, json(job('queued'), 201), json(job('queued'), 201));
    await muster.jobs.submit({ run: { command: ['true'] } });
    await muster.jobs.submit({ run: { command: ['true'] } });
    const [first, second, third] = server.calls.map((call) => call.headers['idempotency-key']);
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it('above the limit is refused before it is sent', async () => {
    const { server, muster } = await setup(json({}));
    const env = { BIG: 'x'.repeat(1024 * 1024) };
    await expect(muster.jobs.submit({ run: { command: ['true'] }, env })).rejects.toMatchObject({
      code: 'bodyTooLarge',
    });
    expect(server.calls).toHaveLength(0);
  });

  it('of several jobs sends them in one request', async () => {
    const { server, muster } = await setup(json({ data: [job('queued'), job('queued')] }, 201));
    const jobs = await muster.jobs.submitMany([{ run: { command: ['a'] } }, { run: { command: ['b'] } }]);
    expect(jobs).toHaveLength(2);
    expect(JSON.parse(server.calls[0]?.body ?? '')).toEqual({
      jobs: [{ run: { command: ['a'] } }, { run: { command: ['b'] } }],
    });
  });
});

describe('a list', () => {
  it('goes on behind a page on which nothing was found, until there is no cursor', async () => {
    const { server, muster } = await setup(
      json({ data: [], nextCursor: 'c1' }),
      json({ data: [], nextCursor: 'c2' }),
      json({ data: [{ id: 'job_1' }], nextCursor: 'c3' }),
      json({ data: [], nextCursor: null }),
    );
    const ids: string[] = [];
    for await (const { id } of muster.jobs.list({ text: 'rare' })) ids.push(id);
    expect(ids).toEqual(['job_1']);
    expect(server.calls).toHaveLength(4);
  });

  it('is walked page after page, each asked for when the one before is used up', async () => {
    const { server, muster } = await setup(
      json({ data: [{ id: 'job_1' }, { id: 'job_2' }], nextCursor: 'c+2' }),
      json({ data: [{ id: 'job_3' }], nextCursor: null }),
    );
    const ids: string[] = [];
    for await (const { id } of muster.jobs.list({ status: ['queued', 'running'], labels: { exp: '7' }, pageSize: 2 })) {
      ids.push(id);
      if (id === 'job_2') expect(server.calls).toHaveLength(1);
    }
    expect(ids).toEqual(['job_1', 'job_2', 'job_3']);
    expect(server.calls.map((call) => decodeURIComponent(call.url))).toEqual([
      '/api/v1/jobs?status=queued,running&label=exp:7&limit=2',
      '/api/v1/jobs?status=queued,running&label=exp:7&limit=2&cursor=c+2',
    ]);
  });
});

describe('the ways out of waiting for a worker', () => {
  it.each(['requeue', 'abandon'] as const)('%s asks once, and says when the job does not allow it', async (action) => {
    const illegal = json(
      { code: 'illegalTransition', detail: 'no', currentState: 'running', allowedActions: ['cancel'], requestId: 'r' },
      409,
    );
    const { server, muster } = await setup(json(job('queued')), illegal, hangUp);
    await expect(muster.jobs[action]('job_1')).resolves.toEqual(job('queued'));
    await expect(muster.jobs[action]('job_1')).rejects.toMatchObject({ currentState: 'running', allowedActions: ['cancel'] });
    await expect(muster.jobs[action]('job_1')).rejects.toBeInstanceOf(Unreachable);
    expect(server.calls.map(({ method, url }) => `${method} ${url}`)).toEqual(Array(3).fill(`POST /api/v1/jobs/job_1/${action}`));
  });
});

describe('pausing and resuming', () => {
  it.each(['pause', 'resume'] as const)('%s says why, and is asked again when nobody answered, because that is harmless', async (action) => {
    const { server, muster } = await setup(hangUp, json(job('running')));
    await expect(muster.jobs[action]('job_1', { reason: 'demo' })).resolves.toEqual(job('running'));
    const asked = { method: 'POST', url: `/api/v1/jobs/job_1/${action}`, body: '{"reason":"demo"}' };
    expect(server.calls).toMatchObject([asked, asked]);
  });
});

describe('cancelling', () => {
  it('a job that an earlier try of the same call cancelled returns it', async () => {
    const illegal = json(
      { code: 'illegalTransition', detail: 'final', currentState: 'cancelled', requestId: 'r' },
      409,
    );
    const { server, muster } = await setup(hangUp, illegal, json(job('cancelled')));
    await expect(muster.jobs.cancel('job_1')).resolves.toEqual(job('cancelled'));
    expect(server.calls.map((call) => call.method)).toEqual(['POST', 'POST', 'GET']);
  });

  it('escapes an id so that it stays one path segment', async () => {
    const { server, muster } = await setup(json(job('queued')));
    await muster.jobs.cancel('../keys', { force: true });
    expect(server.calls[0]).toMatchObject({ url: '/api/v1/jobs/..%2Fkeys/cancel', body: '{"force":true}' });
  });
});

describe('creating a key', () => {
  it('is never tried twice, because its secret is shown once', async () => {
    const { server, muster } = await setup(hangUp, json({}));
    await expect(muster.keys.create({ name: 'laptop', role: 'viewer' })).rejects.toBeInstanceOf(Unreachable);
    expect(server.calls).toHaveLength(1);
  });
});

describe('waiting', () => {
  it('ends when the job is final', async () => {
    const { muster } = await setup(json(job('queued')), json(job('running')), json(job('failed')));
    await expect(muster.jobs.wait('job_1')).resolves.toMatchObject({ status: 'failed' });
  });

  it('ends at a status that was asked for', async () => {
    const { muster } = await setup(json(job('queued')), json(job('running')));
    await expect(muster.jobs.wait('job_1', { until: ['running'] })).resolves.toMatchObject({ status: 'running' });
  });

  it('goes on through an outage longer than all retries, once the job was seen', async () => {
    const outage = Array.from({ length: 9 }, () => hangUp);
    const { muster } = await setup(json(job('running')), ...outage, json(job('completed')));
    await expect(muster.jobs.wait('job_1')).resolves.toMatchObject({ status: 'completed' });
    const { muster: other } = await setup(hangUp);
    await expect(other.jobs.wait('job_1')).rejects.toBeInstanceOf(Unreachable);
  });

  it('past its time says that the job goes on', async () => {
    const { muster } = await setup(json(job('running')));
    await expect(muster.jobs.wait('job_1', { timeoutMs: 10_000 })).rejects.toMatchObject({
      constructor: WaitTimedOut,
      detail: 'Job job_1 is still running after 10 s.',
    });
  });
});
