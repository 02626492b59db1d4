import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startCluster, type Cluster } from '../src/cluster.js';
import { ROOT } from '../src/root.js';

describe('the control plane as it is shipped', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  test('describes its API by the names and shapes that the documentation has', async () => {
    const documented = JSON.parse(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8')) as {
      info: unknown;
      servers: unknown;
    };
    expect(await cluster.api.get('/api/openapi.json')).toEqual({
      ...documented,
      info: expect.anything(),
      servers: expect.anything(),
    });
  });

  test('serves the pages that lie beside it as files', async () => {
    const page = await fetch(`${cluster.api.url}/api/docs`);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('swagger-ui')]);
    expect((await fetch(`${cluster.api.url}/api/docs/swagger-ui-bundle.js`)).status).toBe(200);
  });
});

describe('the agent as the command line starts it', () => {
  test.each([[[]], [['--json']]])('%j runs as what it is, which without a key ends with 78 and says what is missing', (words) => {
    const program = join(ROOT, 'apps/cli/dist/bundle/main.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'agent', 'run', ...words], { encoding: 'utf8', env: {}, timeout: 60_000 });
    expect({ status, said: stdout + stderr }).toEqual({ status: 78, said: expect.stringContaining('MUSTER_AGENT_KEY') });
  });
});
