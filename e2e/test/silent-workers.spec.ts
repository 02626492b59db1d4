import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixture, startCluster, type Cluster } from '../src/cluster.js';
import { eventually } from '../src/eventually.js';
import { processesMarked } from '../src/processes.js';

describe('a worker that falls silent', () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await startCluster({ MUSTER_WORKER_TIMEOUT: '3s' });
  });
  afterEach(() => cluster?.stop());

  const counting = (runsFile: string, ticks: number) => ({
    name: 'counting',
    run: { command: [process.execPath, fixture('counts-seconds.mjs')] },
    env: { TICKS: String(ticks), RUNS_FILE: runsFile },
    disconnect: { lostAfterSeconds: 1 },
    retry: { backoffSeconds: 0 },
  });
  const runs = (file: string) => readFileSync(file, 'utf8').trim().split('\n').map((line) => line.split(' ').map(Number));

  test('has its job run on another worker, and its stale completion changes nothing', async () => {
    const first = await cluster.startAgent('first');
    const runsFile = join(cluster.folder, 'runs');
    const id = await cluster.api.submit(counting(runsFile, 60));
    await eventually('its process has begun', () => runs(runsFile));
    expect((await cluster.api.job(id)).workerName).toBe('first');
    await first.kill('SIGSTOP');
    await cluster.startAgent('second');
    await cluster.api.waitFor(id, 'runs on the second worker', (job) => job.status === 'running' && job.workerName === 'second');
    await first.kill('SIGCONT');
    const job = await cluster.api.waitForEnd(id);
    expect(job).toMatchObject({ status: 'completed', workerName: 'second', attemptCount: 2 });
    expect((await cluster.api.attempts(id)).map(({ outcome, workerName }) => [workerName, outcome])).toEqual([['first', 'lost'], ['second', 'succeeded']]);
    const [oldRun, newRun] = runs(runsFile);
    expect(newRun?.[1]).toBeGreaterThan(oldRun?.[1] ?? Infinity);
    await eventually('the superseded process is gone', () => (processesMarked(runsFile).length === 0 ? true : undefined));
    expect((await cluster.api.completeLog(id)).toString()).toBe(Array.from({ length: 60 }, (_, i) => `tick ${i}\n`).join(''));
  });

  test('that comes back while its job is unclaimed is granted the same process again, without a restart', async () => {
    const only = await cluster.startAgent('only');
    const runsFile = join(cluster.folder, 'runs');
    const id = await cluster.api.submit(counting(runsFile, 60));
    await eventually('its process has begun', () => runs(runsFile));
    await only.kill('SIGSTOP');
    await cluster.api.waitFor(id, 'is queued again', (job) => job.status === 'queued');
    await only.kill('SIGCONT');
    const job = await cluster.api.waitForEnd(id);
    expect(job).toMatchObject({ status: 'completed', attemptCount: 2 });
    expect(runs(runsFile)).toHaveLength(1);
    expect((await cluster.api.completeLog(id)).toString()).toBe(Array.from({ length: 60 }, (_, i) => `tick ${i}\n`).join(''));
  });

  test('is shown suspect, then unreachable and offline, while its job is shown running', async () => {
    const agent = await cluster.startAgent('quiet');
    const id = await cluster.api.submit({ name: 'long', run: { shell: 'sleep 30' } });
    await cluster.api.waitFor(id, 'runs', (job) => job.status === 'running');
    await agent.kill('SIGKILL');
    const workerIs = (link: string) => eventually(`the worker is ${link}`, async () => (await cluster.api.workers()).find((worker) => worker.link === link));
    await workerIs('suspect');
    expect(await workerIs('unreachable')).toMatchObject({ status: 'offline' });
    expect(await cluster.api.job(id)).toMatchObject({ status: 'running', reason: 'workerUnreachable', workerLink: 'unreachable' });
    agent.start();
    await workerIs('connected');
    await cluster.api.request('POST', `/api/v1/jobs/${id}/cancel`, { force: true });
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'cancelled' });
  });
});
