import { gzipSync } from 'node:zlib';
import { request as httpRequest } from 'node:http';
import { PROBLEMS } from '@muster/protocol';
import type { JobView, Problem } from '@muster/protocol';
import { sql } from '../src/database/sql.js';
import { startHarness } from './control-plane-harness.js';
import type { Harness } from './control-plane-harness.js';
import { restAs } from './rest.js';
import type { Call , Rest} from './rest.js';

const ROWS = sql`
  select (select count(*) from job) as jobs, (select count(*) from lane) as lanes, (select count(*) from event) as events,
    (select count(*) from idempotency_key) as keys
`;
const NOWHERE = 'job_01JDABCDEF0123456789ABCDEF';
const deep = (levels: number): string => '{"run":{"command":["true"]},"labels":' + '['.repeat(levels) + ']'.repeat(levels) + '}';
const json = { 'content-type': 'application/json' };

let harness: Harness;
let rest: Rest;
beforeAll(async () => {
  harness = await startHarness();
  rest = await restAs(harness, 'submitter', 'ada');
});
afterAll(() => harness.stop());

const counted = (): Promise<unknown[]> => harness.database.query(ROWS);

describe('a submission that is refused', () => {
  const rows: [name: string, call: Call, status: number, detail: string][] = [
    ['nothing', { headers: json }, 400, 'Expected an object, got nothing.'],
    ['text that is not JSON', { raw: '{"run": {command: ["true"]}}' }, 400, 'Expected a name in double quotes or `}`, got "c" at line 1, column 10.'],
    ['JSON that ends early', { raw: '{"run": {"command": ["true"' }, 400, 'Expected `,` or the end of the list or object, got the end of the body at line 1, column 28.'],
    ['bytes that are not UTF-8', { raw: Buffer.from([0x7b, 0xff, 0x7d]) }, 400, 'The body is not UTF-8.'],
    ['a list', { body: [] }, 400, 'Expected an object, got a list of 0.'],
    ['a wrong type', { body: { run: { command: 'echo hi' } } }, 400, '/run/command: Expected a list of texts: the program, then its arguments'],
    ['a number in a text', { body: { run: { command: ['true'] }, name: 5 } }, 400, '/name: Expected text of 1 to 200 bytes, got 5.'],
    ['an unknown field', { body: { run: { command: ['true'] }, comand: 1 } }, 400, '/comand: Unknown field "comand".'],
    ['an unknown field inside', { body: { run: { command: ['true'], cwd: '/' } } }, 400, '/run/cwd: Unknown field "cwd". Known here: command, external, shell.'],
    ['what only the server sets', { body: { run: { command: ['true'] }, status: 'completed', epoch: 9, owner: 'eve' } }, 400, '/status: Unknown field "status".'],
    ['a part that is not supported', { body: { run: { command: ['true'] }, array: { count: 3 } } }, 400, '/array: `array` is not supported by this version of Muster. Leave it out.'],
    ['two kinds of run', { body: { run: { command: ['true'], shell: 'true' } } }, 400, '/run: Expected exactly one of `command`, `shell` and `external`'],
    ['a label that compares nothing', { body: { run: { command: ['true'] }, needs: { labels: { driver: '>=' } } } }, 400, '/needs/labels/driver: after ">=" comes a value'],
    ['fields that contradict each other', { body: { run: { command: ['true'] }, disconnect: { exclusive: true, onWorkerLost: 'wait' } } }, 400, '/disconnect/onWorkerLost: Expected requeue or fail with exclusive'],
    ['a fence that comes too late', { body: { run: { command: ['true'] }, graceSeconds: 300, disconnect: { exclusive: true, lostAfterSeconds: 0 } } }, 400, '/disconnect/exclusive: A lease of'],
    ['a NUL in an argument', { body: { run: { command: ['a\0b'] } } }, 400, '/run/command/0: Expected text without the character NUL (U+0000).'],
    ['half a surrogate pair', { raw: '{"run":{"command":["\\ud800"]}}' }, 400, '/run/command/0: Expected well-formed text'],
    ['17 levels', { raw: deep(16) }, 400, 'Expected at most 16 levels of nesting.'],
    ['100,000 levels', { raw: deep(100_000) }, 400, 'Expected at most 16 levels of nesting.'],
    ['100,000 names', { raw: `{${Array.from({ length: 60_000 }, (_, index) => `"k${index}":1`).join(',')}}` }, 400, 'Expected at most 2000 names in all objects together.'],
    ['100,000 items', { raw: `{"run":{"command":[${'"a",'.repeat(100_000)}"a"]}}` }, 400, 'Expected at most 20000 items in all lists together.'],
    ['a forged prototype', { raw: '{"run":{"command":["true"]},"labels":{"__proto__":{"polluted":true}}}' }, 400, '/labels: The name `__proto__` is not allowed.'],
    ['a number beyond all', { body: { run: { command: ['true'] }, priority: 1e308 } }, 400, '/priority: Expected a whole number from -100 to 100'],
    ['NaN as a text', { body: { run: { command: ['true'] }, limits: { cpus: 'NaN' } } }, 400, '/limits/cpus: Expected a number from 0.01 to 4096, got "NaN".'],
    ['a form', { raw: 'run=true', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415, 'The Content-Type is "application/x-www-form-urlencoded".'],
    ['a multipart bomb', { raw: '--x\r\n\r\n--x--', headers: { 'content-type': 'multipart/form-data; boundary=x' } }, 415, 'The Content-Type is "multipart/form-data; boundary=x".'],
    ['a gzip bomb', { raw: gzipSync(Buffer.alloc(50_000_000)), headers: { 'content-encoding': 'gzip', ...json } }, 415, 'The body is encoded as gzip.'],
    ['1 MiB and a byte', { raw: ' '.repeat(1_048_577) }, 413, 'Expected a body of at most 1048576 bytes, got 1048577 bytes.'],
    ['no job', { body: { jobs: [] } }, 400, '/jobs: Expected a list of 1 to 100 jobs, got a list of 0.'],
    ['101 jobs', { body: { jobs: Array.from({ length: 101 }, () => ({ run: { command: ['true'] } })) } }, 400, '/jobs: Expected a list of 1 to 100 jobs, got a list of 101.'],
    ['one bad job among good ones', { body: { jobs: [{ run: { command: ['true'] } }, { run: {} }] } }, 400, '/jobs/1/run: Expected exactly one of'],
    ['a list beside a job', { body: { jobs: [{ run: { command: ['true'] } }], name: 'x' } }, 400, '/name: Unknown field "name". Known here: jobs.'],
    ['a bad Idempotency-Key', { body: { run: { command: ['true'] } }, headers: { 'idempotency-key': 'x'.repeat(201) } }, 400, 'Expected 1 to 200 visible ASCII characters'],
  ];

  it.each(rows)('for %s names the field, says what was expected, and stores nothing', async (_name, call, status, detail) => {
    const before = await counted();
    const problem = await rest.refused('POST', '/api/v1/jobs', call);
    expect({ status: problem.status, detail: problem.detail.slice(0, detail.length) }).toEqual({ status, detail });
    expect(PROBLEMS[problem.code].status).toBe(status);
    expect(problem.hint).toBeTruthy();
    expect(problem.requestId).toMatch(/^[\w-]{36}$/);
    expect(await counted()).toEqual(before);
  });

  it('leaves no prototype changed', () => {
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('for a body without length stops reading at the limit', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const { hostname, port } = new URL(harness.controlPlane.url);
      const headers = { ...json, authorization: `Bearer ${rest.key}`, 'transfer-encoding': 'chunked' };
      const request = httpRequest({ hostname, port, method: 'POST', path: '/api/v1/jobs', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
        request.destroy();
      });
      request.on('error', reject);
      const piece = Buffer.alloc(65_536, ' ');
      const more = (): void => {
        // Endless: only the answer ends it.
        while (request.writable && request.write(piece));
        request.once('drain', more);
      };
      more();
    });
    expect(status).toBe(413);
  });
});

describe('everywhere else', () => {
  it.each([
    ['GET', '/api/v1/jobs?status=done', 400, '?status: Expected some of queued, assigned'],
    ['GET', '/api/v1/jobs?limit=201', 400, '?limit: Expected a whole number from 1 to 200, got 201.'],
    ['GET', '/api/v1/jobs?limit=1&limit=2', 400, '?limit: Expected a whole number from 1 to 200, got ["1","2"].'],
    ['GET', '/api/v1/jobs?sort=name', 400, '?sort: Unknown field "sort".'],
    ['GET', '/api/v1/jobs?q=%00', 400, '?q: Expected text without the character NUL (U+0000).'],
    ['GET', '/api/v1/jobs?__proto__=x', 400, ''],
    ['GET', '/api/v1/jobs?cursor=abc', 400, '?cursor: Expected the `nextCursor` of an earlier page of this list.'],
    ['GET', "/api/v1/jobs?owner=x'%20or%20'1'='1&status=queued';drop%20table%20job", 400, '?status: Expected some of'],
    ['GET', `/api/v1/jobs/${NOWHERE}`, 404, `There is no job "${NOWHERE}".`],
    ['GET', '/api/v1/jobs/..%2f..%2fetc%2fpasswd', 404, 'There is no job "../../etc/passwd".'],
    ['GET', '/api/v1/jobs/%00', 404, 'There is no job "\\u0000".'],
    ['GET', `/api/v1/jobs/${'x'.repeat(5_000)}`, 404, 'There is no job "xxxx'],
    ['GET', '/api/v1/jobs/%ff', 400, 'The address cannot be read.'],
    ['GET', `/api/v1/jobs/${NOWHERE}/attempts`, 404, `There is no job "${NOWHERE}".`],
    ['GET', `/api/v1/jobs/${NOWHERE}/events`, 404, `There is no job "${NOWHERE}".`],
    ['GET', `/api/v1/jobs/${NOWHERE}/explain`, 404, `There is no job "${NOWHERE}".`],
    ['GET', `/api/v1/jobs/${NOWHERE}/logs`, 404, `There is no job "${NOWHERE}".`],
    ['GET', `/api/v1/jobs/${NOWHERE}/logs?follow=true`, 404, `There is no job "${NOWHERE}".`],
    ['GET', `/api/v1/jobs/${NOWHERE}/logs/download`, 404, `There is no job "${NOWHERE}".`],
    ['GET', `/api/v1/jobs/${NOWHERE}/logs?stream=stdin`, 400, '?stream: Expected one of output, stdout, stderr, system, got "stdin".'],
    ['GET', `/api/v1/jobs/${NOWHERE}/logs?offset=-1`, 400, '?offset: Expected a whole number from 0'],
    ['GET', `/api/v1/jobs/${NOWHERE}/logs?offset=1&line=1`, 400, '?line: Expected one of offset, before, line and beforeLine'],
    ['GET', `/api/v1/jobs/${NOWHERE}/logs?attempt=-1`, 400, '?attempt: Expected the number or the id of an attempt, got "-1".'],
    ['POST', `/api/v1/jobs/${NOWHERE}/cancel`, 404, `There is no job "${NOWHERE}".`],
    ['GET', '/api/v1/workers/wkr_01JDABCDEF0123456789ABCDEF', 404, 'There is no worker'],
    ['GET', '/api/v1/workers?status=asleep', 400, '?status: Expected some of online, busy'],
    ['GET', '/api/v1/nothing', 404, 'There is nothing at GET /api/v1/nothing.'],
    ['DELETE', '/api/v1/jobs', 404, 'There is nothing at DELETE /api/v1/jobs.'],
  ])('%s %s is refused with a sentence', async (method, path, status, detail) => {
    const problem = await rest.refused(method, path);
    expect({ status: problem.status, detail: problem.detail.slice(0, detail.length) }).toEqual({ status, detail });
    expect(problem.hint).toBeTruthy();
  });

  it('a body above 256 KB is refused where no jobs are submitted', async () => {
    const problem = await rest.refused('POST', `/api/v1/jobs/${NOWHERE}/cancel`, { body: { reason: 'x'.repeat(300_000) } });
    expect(problem).toMatchObject({ status: 413, code: 'bodyTooLarge' });
  });

  it('cancelling a finished job answers 409 with its state and what is allowed', async () => {
    const { body: job } = await rest.post<JobView>('/jobs', { run: { command: ['true'] } });
    await rest.post(`/jobs/${job.id}/cancel`);
    await harness.database.execute(sql`update job set status = 'completed', desired = 'run', reason = 'succeeded' where id = $1`, [job.id]);
    const problem = await rest.refused('POST', `/api/v1/jobs/${job.id}/cancel`);
    expect(problem).toMatchObject({ status: 409, code: 'illegalTransition', currentState: 'completed', allowedActions: [] });
  });

  it('all complaints about a body come at once', async () => {
    const problem = await rest.refused('POST', '/api/v1/jobs', { body: { run: { shell: 7 }, priority: 'high', labels: { '': 'x' }, nmae: 1 } });
    expect(problem.errors?.map((error) => error.pointer).sort()).toEqual(['/labels', '/nmae', '/priority', '/run/shell']);
    expect(problem.detail).toContain('(and 3 more in `errors`)');
  });
});

describe('an answer', () => {
  it('echoes an acceptable request id and replaces any other', async () => {
    const kept = await rest.get('/me', { 'x-request-id': 'ci-42.a_b' });
    expect(kept.headers.get('x-request-id')).toBe('ci-42.a_b');
    const replaced = await rest.send<Problem>('GET', '/api/v1/nothing', { headers: { 'x-request-id': 'a b"}{' } });
    expect(replaced.body.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(replaced.headers.get('x-request-id')).toBe(replaced.body.requestId);
  });

  it('allows nothing from elsewhere and does not say what made it', async () => {
    const { headers } = await rest.get('/me');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'self';img-src 'self' data:;object-src 'none';base-uri 'self';form-action 'self';frame-ancestors 'none'",
    );
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it('about a bug of ours holds neither a stack nor SQL', async () => {
    const { body: job } = await rest.post<JobView>('/jobs', { run: { command: ['true'] } });
    await harness.database.execute(sql`alter table event rename column actor to actor_away`);
    try {
      const { status, text } = await rest.get(`/jobs/${job.id}/events`);
      expect(status).toBe(500);
      expect(text).not.toMatch(/actor|select|at .*\.ts|pg/);
      expect(JSON.parse(text)).toMatchObject({ code: 'internal', title: 'Muster failed' });
    } finally {
      await harness.database.execute(sql`alter table event rename column actor_away to actor`);
    }
  });
});
