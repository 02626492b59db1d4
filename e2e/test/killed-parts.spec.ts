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
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  const inFolder = (name: string) => join(cluster.folder, name);
  /** An agent for one test, and what its jobs ask for to run there. */
  const agentFor = async (worker: string, slots = 1) => {
    const agent = await cluster.startAgent(worker, { MUSTER_AGENT_LABELS: `only=${worker}`, MUSTER_AGENT_SLOTS: String(slots) });
    return { agent, needs: { labels: { only: worker } } };
  };

  test('an agent killed with SIGKILL and restarted reports the right exit code and the whole log', async () => {
    const { agent, needs } = await agentFor('prints-on');
    const until = inFolder('goes-on');
    const id = await cluster.api.submit({ ...slowLines, needs, env: { LINES: '3000', BURST: '50', PACE_MS: '50', EXIT_CODE: '9', UNTIL: until } });
    await cluster.api.waitForOutput(id);
    await agent.kill('SIGKILL');
    writeFileSync(until, '');
    agent.start();
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'failed', exitCode: 9, attemptCount: 1 });
    expect(sha256(await cluster.api.completeLog(id))).toBe(sha256(expectedLines(3000, 60)));
  });

  test('a job that ended while its agent was dead is reported with the right exit code', async () => {
    const { agent, needs } = await agentFor('ends-alone');
    const [begun, goOn, done] = [inFolder('begun'), inFolder('go-on'), inFolder('done')];
    const shell = `touch '${begun}'; until [ -e '${goOn}' ]; do sleep 0.1; done; echo late; touch '${done}'; exit 3`;
    const id = await cluster.api.submit({ name: 'short', run: { shell }, needs });
    await eventually('the job has begun', () => existsSync(begun) || undefined);
    await agent.kill('SIGKILL');
    writeFileSync(goOn, '');
    await eventually('the job ended on its own', () => existsSync(done) || undefined);
    agent.start();
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'failed', exitCode: 3, attemptCount: 1 });
    expect((await cluster.api.completeLog(id)).toString()).toBe('late\n');
  });

  test('the control plane killed with SIGKILL comes back and the job ends once', async () => {
    const { needs } = await agentFor('counts');
    const [runsFile, until] = [inFolder('runs'), inFolder('may-end')];
    const run = { command: [process.execPath, fixture('counts-seconds.mjs')] };
    const id = await cluster.api.submit({ name: 'counted', run, needs, env: { TICKS: '20', TICK_MS: '50', RUNS_FILE: runsFile, UNTIL: until } });
    await cluster.api.waitForOutput(id);
    await cluster.controlPlane.kill('SIGKILL');
    writeFileSync(`${until}.1`, '');
    cluster.controlPlane.start();
    await eventually('the control plane is back', async () => ((await fetch(`${cluster.api.url}/health/ready`)).ok ? true : undefined));
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'completed', attemptCount: 1 });
    expect(readFileSync(runsFile, 'utf8').trim().split('\n')).toHaveLength(1);
    expect((await cluster.api.completeLog(id)).toString()).toBe(Array.from({ length: 20 }, (_, i) => `tick ${i}\n`).join(''));
  });

  test('PostgreSQL killed and restarted loses nothing that was acknowledged', async () => {
    const { needs } = await agentFor('outlives', 4);
    const until = inFolder('database-is-back');
    const running = await cluster.api.submit({ ...slowLines, needs, env: { LINES: '2000', BURST: '50', PACE_MS: '20', UNTIL: until } });
    await cluster.api.waitForOutput(running);
    const acknowledged = await Promise.all(
      Array.from({ length: 20 }, (_, i) => cluster.api.submit({ name: `acked-${i}`, run: { shell: `echo ${i}` }, needs })),
    );
    await cluster.killPostgres();
    const whileAway = await fetch(`${cluster.api.url}/health/ready`);
    expect(whileAway.status).toBe(503);
    const late = cluster.api.submit({ name: 'late', run: { shell: 'echo late' }, needs });
    await cluster.startPostgres();
    writeFileSync(until, '');
    for (const id of [...acknowledged, await late]) expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'completed' });
    expect(await cluster.api.waitForEnd(running)).toMatchObject({ status: 'completed', attemptCount: 1 });
    expect(sha256(await cluster.api.completeLog(running))).toBe(sha256(expectedLines(2000, 60)));
    expect(cluster.controlPlane.isRunning).toBe(true);
  });
});
