import { join } from 'node:path';
import { startCluster, type Cluster } from '../src/cluster.js';
import { eventually } from '../src/eventually.js';
import { processesMarked } from '../src/processes.js';

describe('a job that is to be killed while its worker is away', () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await startCluster({ MUSTER_WORKER_TIMEOUT: '3s' });
  });
  afterEach(() => cluster?.stop());

  test('is shown as still running until the worker is back, and is killed at first contact', async () => {
    const agent = await cluster.startAgent('away');
    const mark = join(cluster.folder, 'mark');
    const id = await cluster.api.submit({ name: 'deaf', run: { command: ['/bin/sh', '-c', 'trap "" TERM; while :; do sleep 0.2; done', mark] } });
    await cluster.api.waitFor(id, 'runs', (job) => job.status === 'running');
    await eventually('its process is there', () => (processesMarked(mark).length > 0 ? true : undefined));
    await agent.kill('SIGKILL');
    await cluster.api.waitFor(id, 'is shown as out of reach', (job) => job.workerLink === 'unreachable');

    await cluster.api.request('POST', `/api/v1/jobs/${id}/cancel`, { force: true });
    expect(await cluster.api.job(id)).toMatchObject({ status: 'running', desired: 'cancel' });
    expect(processesMarked(mark).length).toBeGreaterThan(0);

    agent.start();
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'cancelled', attemptCount: 1 });
    expect(processesMarked(mark)).toEqual([]);
  });
});
