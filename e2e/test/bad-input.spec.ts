import { startCluster, type Cluster } from '../src/cluster.js';

/** The unhappy requests of a stranger, against the built control plane; the details have their specs beside the code. */
describe('a refused request', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  async function send(body: string, headers: Record<string, string> = {}) {
    const response = await fetch(`${cluster.api.url}/api/v1/jobs`, {
      method: 'POST', body, headers: { authorization: `Bearer ${cluster.adminKey}`, 'content-type': 'application/json', ...headers },
    });
    return { status: response.status, type: response.headers.get('content-type'), problem: (await response.json()) as Record<string, unknown> };
  }
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

  test.each([
    ['text that is not JSON', '{"name": nope', 400, 'invalidJson'],
    ['an empty object', '{}', 400, 'invalidRequest'],
    ['a wrong type', '{"name":7,"run":{"shell":"true"}}', 400, 'invalidRequest'],
    ['an unknown field', '{"name":"x","run":{"shell":"true"},"colour":"red"}', 400, 'invalidRequest'],
    ['two kinds of run', '{"name":"x","run":{"shell":"true","command":["true"]}}', 400, 'invalidRequest'],
    ['a NUL byte', '{"name":"a\\u0000b","run":{"shell":"true"}}', 400, 'shapeRefused'],
    ['JSON nested 100 deep', nested(100), 400, 'shapeRefused'],
    ['JSON nested 50,000 deep', nested(50_000), 400, 'shapeRefused'],
    ['100,000 keys', `{${Array.from({ length: 60_000 }, (_, i) => `"k${i}":1`).join(',')}}`, 400, 'shapeRefused'],
    ['a body over the limit', `{"name":"${'x'.repeat(1_100_000)}"}`, 413, 'bodyTooLarge'],
    ['101 jobs at once', JSON.stringify({ jobs: Array.from({ length: 101 }, () => ({ name: 'x', run: { shell: 'true' } })) }), 400, 'invalidRequest'],
  ])('%s is answered with a problem that says what to do, and stores nothing', async (_, body, status, code) => {
    const answer = await send(body);
    expect({ status: answer.status, code: answer.problem.code }).toEqual({ status, code });
    expect(answer.type).toContain('application/problem+json');
    expect(answer.problem.detail).toEqual(expect.stringMatching(/\S/));
    expect(answer.problem.requestId).toEqual(expect.stringMatching(/\S/));
    expect((await cluster.api.get<{ data: unknown[] }>('/api/v1/jobs')).data).toEqual([]);
  });

  test.each(['', 'Bearer ', 'Bearer mst_adm_wrong', `Bearer wak_${'0'.repeat(75)}`])('the authorization %p is answered with the same 401', async (authorization) => {
    const { status, problem } = await send('{}', { authorization });
    expect(status).toBe(401);
    expect(problem).toMatchObject({ code: 'unauthenticated' });
  });

  test('a key in the URL is refused everywhere', async () => {
    const response = await fetch(`${cluster.api.url}/api/v1/jobs?key=${cluster.adminKey}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'keyInUrl' });
  });

  test('an unknown id, and an unknown state in a filter, name what was expected', async () => {
    expect((await cluster.api.request('GET', '/api/v1/jobs/job_00000000000000000000000000')).status).toBe(404);
    const { status, body } = await cluster.api.request<{ errors: { pointer: string; detail: string }[] }>('GET', '/api/v1/jobs?status=sleeping');
    expect(status).toBe(400);
    expect(body.errors[0]?.detail).toContain('queued');
  });
});
