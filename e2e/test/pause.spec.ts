import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobView } from '@muster/protocol';
import { Cli } from '../src/cli.js';
import { fixture, startCluster, type Cluster } from '../src/cluster.js';
import { eventually } from '../src/eventually.js';
import { processesMarked } from '../src/processes.js';
import type { ManagedProcess } from '../src/managed-process.js';

/** A counter moves every 20 ms. */
const WATCHED_MS = 600;

describe('pause', () => {
  let cluster: Cluster;
  let agent: ManagedProcess;
  let cli: Cli;
  beforeAll(async () => {
    cluster = await startCluster();
    agent = await cluster.startAgent('one', { MUSTER_AGENT_SLOTS: '2' });
    cli = new Cli(join(cluster.folder, 'home'), { MUSTER_URL: cluster.api.url, MUSTER_KEY: cluster.adminKey });
    mkdirSync(cli.home);
  });
  afterAll(async () => {
    cli?.stop();
    await cluster?.stop();
  });

  const folder = (name: string): string => {
    const path = join(cluster.folder, name);
    mkdirSync(path);
    return path;
  };
  /** Where both counters stand; undefined before both have begun. */
  const counted = (counters: string): [home: number, away: number] | undefined => {
    const lines = (name: string) => readFileSync(join(counters, name), 'utf8').split('\n').length - 1;
    return [lines('home'), lines('away')];
  };
  const standsStill = async (counters: string): Promise<boolean> => {
    const before = counted(counters);
    await sleep(WATCHED_MS);
    return JSON.stringify(counted(counters)) === JSON.stringify(before);
  };
  const asJob = (stdout: string): JobView => JSON.parse(stdout) as JobView;

  test('stops a job and its grandchild where they are, also while their agent dies, and lets them go on to their end', async () => {
    const counters = folder('counters');
    const run = { command: ['/bin/sh', fixture('counts-in-a-tree.sh')] };
    const id = await cluster.api.submit({ name: 'counting', run, env: { COUNTERS: counters }, limits: { runSeconds: 600 } });
    await eventually('both count', () => counted(counters));

    const paused = await cli.run(['pause', '--wait', '--json', '--reason', 'demo', id]);
    expect([paused.code, asJob(paused.stdout)]).toEqual([0, expect.objectContaining({ status: 'paused', desired: 'pause', reason: 'frozen' })]);
    expect(await standsStill(counters)).toBe(true);
    expect((await cli.run(['explain', id])).stdout).toMatch(/is paused: It is frozen .*muster resume/s);

    await agent.kill('SIGKILL');
    expect(await standsStill(counters)).toBe(true);
    agent.start();
    await eventually('the agent is back', () => (agent.output().split('connected to the control plane').length > 2 ? true : undefined));
    await cluster.api.waitFor(id, 'is still paused', (job) => job.status === 'paused' && job.workerLink === 'connected');
    expect(await standsStill(counters)).toBe(true);

    const resumed = await cli.run(['resume', id]);
    expect(resumed).toMatchObject({ code: 0, stdout: '' });
    expect(resumed.stderr).toContain(id);
    const before = counted(counters);
    await eventually('both count again', () => counted(counters)?.every((count, i) => count > (before?.[i] ?? 0)) || undefined);
    writeFileSync(join(counters, 'enough'), '');
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'failed', exitCode: 3, attemptCount: 1 });
    const log = (await cluster.api.completeLog(id)).toString().trim().split('\n');
    const [home = 0, away = 0] = counted(counters) ?? [];
    for (const [name, count] of Object.entries({ home, away })) {
      expect(log.filter((line) => line.startsWith(name))).toEqual(Array.from({ length: count }, (_, i) => `${name} ${i + 1}`));
    }
    expect(await cli.run(['pause', id])).toMatchObject({ code: 5, stderr: expect.stringContaining('cannot be paused') });
  });

  test('gives way to cancel: the frozen tree is ended like any other, and nobody is left', async () => {
    const pidsFolder = folder('pids');
    const nap = String(100_000_000 + Math.floor(Math.random() * 900_000_000));
    const run = { command: ['/bin/sh', fixture('grows-a-tree.sh')] };
    const id = await cluster.api.submit({ name: 'tree', run, env: { PIDS_DIR: pidsFolder, NAP: nap }, graceSeconds: 1 });
    await eventually('the tree has grown', () => (readdirSync(pidsFolder).length === 6 && processesMarked(nap).length >= 6 ? true : undefined));
    await cluster.api.request('POST', `/api/v1/jobs/${id}/pause`, {});
    await cluster.api.waitFor(id, 'is paused', (job) => job.status === 'paused');

    await cluster.api.request('POST', `/api/v1/jobs/${id}/cancel`, {});
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'cancelled', reason: 'cancelledByUser' });
    const rung = (await cluster.api.attempts(id)).at(-1)?.containment;
    const survivors = processesMarked(nap);
    // The weakest rung does not see a process without parent and environment, and says so.
    expect(survivors.length).toBeLessThanOrEqual(rung === 'group' ? 1 : 0);
    for (const pid of survivors) process.kill(pid, 'SIGKILL');
  });
});
