import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runningJobs } from '../src/agent-state.js';
import { fixture, startCluster, type Cluster } from '../src/cluster.js';
import { eventually } from '../src/eventually.js';

const LOG = 'tick 0\ntick 1\ntick 2\n';

describe('a worker that falls silent', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ MUSTER_WORKER_TIMEOUT: '3s' });
  });
  afterAll(() => cluster?.stop());

  /** A job for the workers of one test, whose attempts end when they may. */
  async function submit(workers: string, name: string) {
    const runsFile = join(cluster.folder, `${workers}-${name}`);
    const until = `${runsFile}.may-end`;
    const id = await cluster.api.submit({
      name,
      run: { command: [process.execPath, fixture('counts-seconds.mjs')] },
      env: { TICKS: '3', TICK_MS: '10', RUNS_FILE: runsFile, UNTIL: until },
      needs: { labels: { workers } },
      disconnect: { lostAfterSeconds: 1 },
      retry: { backoffSeconds: 0 },
    });
    const runs = () => readFileSync(runsFile, 'utf8').trim().split('\n').map((line) => line.split(' ').map(Number));
    const hasBegun = (times: number) => eventually(`${name} has begun ${times} times`, () => (runs().length >= times ? true : undefined));
    return { id, runs, hasBegun, mayEnd: (attempt: number) => writeFileSync(`${until}.${attempt}`, '') };
  }
  const labelled = (workers: string) => ({ MUSTER_AGENT_LABELS: `workers=${workers}`, MUSTER_AGENT_SLOTS: '2' });
  const attemptsDir = (worker: string) => join(cluster.folder, `agent-${worker}`, 'attempts');

  test('has its jobs run on another worker; its stale completion changes nothing, and what still runs on it is ended', async () => {
    const first = await cluster.startAgent('first', labelled('two'));
    const ended = await submit('two', 'ended');
    const alive = await submit('two', 'alive');
    for (const job of [ended, alive]) await job.hasBegun(1);
    await first.kill('SIGSTOP');
    ended.mayEnd(1);
    await eventually('one of its processes ended', () => (runningJobs(attemptsDir('first')).length === 1 ? true : undefined));
    await cluster.startAgent('second', labelled('two'));
    for (const job of [ended, alive]) {
      await job.hasBegun(2);
      expect(await cluster.api.job(job.id)).toMatchObject({ status: 'running', workerName: 'second', attemptCount: 2 });
    }
    await first.kill('SIGCONT');
    // It has told of both, was told that neither counts, and keeps nothing of them.
    await eventually('the first worker is rid of them', () => (readdirSync(attemptsDir('first')).length === 0 ? true : undefined));
    for (const job of [ended, alive]) {
      expect(await cluster.api.job(job.id)).toMatchObject({ status: 'running', workerName: 'second' });
      job.mayEnd(2);
      expect(await cluster.api.waitForEnd(job.id)).toMatchObject({ status: 'completed', workerName: 'second', attemptCount: 2 });
      const attempts = await cluster.api.attempts(job.id);
      expect(attempts.map(({ outcome, workerName }) => [workerName, outcome])).toEqual([['first', 'lost'], ['second', 'succeeded']]);
      const [oldRun, newRun, ...more] = job.runs();
      expect(newRun?.[1]).toBeGreaterThan(oldRun?.[1] ?? Infinity);
      expect(more).toEqual([]);
      expect((await cluster.api.completeLog(job.id)).toString()).toBe(LOG);
    }
  });

  test('that comes back while its job is unclaimed is granted the same process again, without a restart', async () => {
    const only = await cluster.startAgent('only', labelled('one'));
    const job = await submit('one', 'unclaimed');
    await job.hasBegun(1);
    await only.kill('SIGSTOP');
    await cluster.api.waitFor(job.id, 'is queued again', ({ status }) => status === 'queued');
    await only.kill('SIGCONT');
    await cluster.api.waitFor(job.id, 'runs again', ({ status }) => status === 'running');
    job.mayEnd(1);
    expect(await cluster.api.waitForEnd(job.id)).toMatchObject({ status: 'completed', attemptCount: 2 });
    expect(job.runs()).toHaveLength(1);
    expect((await cluster.api.completeLog(job.id)).toString()).toBe(LOG);
  });

  test('is shown suspect, then unreachable and offline, while its job is shown running', async () => {
    const agent = await cluster.startAgent('quiet', labelled('quiet'));
    const id = await cluster.api.submit({ name: 'long', run: { shell: 'echo begun; sleep 600' }, needs: { labels: { workers: 'quiet' } } });
    await cluster.api.waitForOutput(id);
    await agent.kill('SIGKILL');
    const workerIs = (link: string) =>
      eventually(`the worker is ${link}`, async () => (await cluster.api.workers()).find((worker) => worker.name === 'quiet' && worker.link === link));
    await workerIs('suspect');
    expect(await workerIs('unreachable')).toMatchObject({ status: 'offline' });
    expect(await cluster.api.job(id)).toMatchObject({ status: 'running', reason: 'workerUnreachable', workerLink: 'unreachable' });
    agent.start();
    await workerIs('connected');
    await cluster.api.request('POST', `/api/v1/jobs/${id}/cancel`, { force: true });
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'cancelled' });
  });
});
