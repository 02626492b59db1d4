import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixture, startCluster, type Cluster } from '../src/cluster.js';
import { eventually } from '../src/eventually.js';
import { expectedLines } from '../src/expected-lines.js';

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');
const slowLines = { name: 'slow-lines', run: { command: [process.execPath, fixture('prints-lines.mjs')] } };

describe('when a part is killed in the middle of a job', () => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await startCluster();
  });
  afterEach(() => cluster?.stop());

  test('an agent killed with SIGKILL and restarted reports the right exit code and the whole log', async () => {
    const agent = await cluster.startAgent('one');
    const id = await cluster.api.submit({ ...slowLines, env: { LINES: '3000', BURST: '50', PACE_MS: '50', EXIT_CODE: '9' } });
    await cluster.api.waitForOutput(id);
    await agent.kill('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 500));
    agent.start();
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'failed', exitCode: 9, attemptCount: 1 });
    expect(sha256(await cluster.api.completeLog(id))).toBe(sha256(expectedLines(3000, 60)));
  });

  test('a job that ended while its agent was dead is reported with the right exit code', async () => {
    const agent = await cluster.startAgent('one');
    const inFolder = (name: string) => join(cluster.folder, name);
    const [begun, goOn, done] = [inFolder('begun'), inFolder('go-on'), inFolder('done')];
    const shell = `touch '${begun}'; until [ -e '${goOn}' ]; do sleep 0.1; done; echo late; touch '${done}'; exit 3`;
    const id = await cluster.api.submit({ name: 'short', run: { shell } });
    await eventually('the job has begun', () => existsSync(begun) || undefined);
    await agent.kill('SIGKILL');
    writeFileSync(goOn, '');
    await eventually('the job ended on its own', () => existsSync(done) || undefined);
    agent.start();
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'failed', exitCode: 3, attemptCount: 1 });
    expect((await cluster.api.completeLog(id)).toString()).toBe('late\n');
  });

  test('the control plane killed with SIGKILL comes back and the job ends once', async () => {
    await cluster.startAgent('one');
    const runsFile = join(cluster.folder, 'runs');
    const id = await cluster.api.submit({
      name: 'counted', run: { command: [process.execPath, fixture('counts-seconds.mjs')] }, env: { TICKS: '20', RUNS_FILE: runsFile },
    });
    await cluster.api.waitFor(id, 'runs', (job) => job.status === 'running');
    await cluster.controlPlane.kill('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    cluster.controlPlane.start();
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'completed', attemptCount: 1 });
    expect(readFileSync(runsFile, 'utf8').trim().split('\n')).toHaveLength(1);
    expect((await cluster.api.completeLog(id)).toString()).toBe(Array.from({ length: 20 }, (_, i) => `tick ${i}\n`).join(''));
  });

  test('PostgreSQL killed and restarted loses nothing that was acknowledged', async () => {
    await cluster.startAgent('one', { MUSTER_AGENT_SLOTS: '4' });
    const running = await cluster.api.submit({ ...slowLines, env: { LINES: '2000', BURST: '50', PACE_MS: '100' } });
    await cluster.api.waitFor(running, 'runs', (job) => job.status === 'running');
    const acknowledged = await Promise.all(Array.from({ length: 20 }, (_, i) => cluster.api.submit({ name: `acked-${i}`, run: { shell: `echo ${i}` } })));
    await cluster.killPostgres();
    const whileAway = await fetch(`${cluster.api.url}/health/ready`);
    expect(whileAway.status).toBe(503);
    const late = cluster.api.submit({ name: 'late', run: { shell: 'echo late' } });
    await cluster.startPostgres();
    for (const id of [...acknowledged, await late]) expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'completed' });
    expect(await cluster.api.waitForEnd(running)).toMatchObject({ status: 'completed', attemptCount: 1 });
    expect(sha256(await cluster.api.completeLog(running))).toBe(sha256(expectedLines(2000, 60)));
    expect(cluster.controlPlane.isRunning).toBe(true);
  });
});
