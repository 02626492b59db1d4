import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { controlGroupRootsOf } from '../src/control-groups.js';
import { fixture, startCluster, type Cluster } from '../src/cluster.js';
import { eventually } from '../src/eventually.js';
import { processesMarked } from '../src/processes.js';

describe('cancel', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.startAgent('one', { MUSTER_AGENT_SLOTS: '4' });
  });
  const groups = (): readonly string[] => controlGroupRootsOf(join(cluster.folder, 'agent-one'));
  afterAll(async () => {
    await cluster?.stop();
    // Nor does a stopped cluster leave anything in the kernel.
    expect(groups()).toEqual([]);
  });

  async function growTree(name: string) {
    const pidsFolder = join(cluster.folder, name);
    mkdirSync(pidsFolder);
    // How long its sleepers sleep is what they are known by.
    const nap = String(100_000_000 + Math.floor(Math.random() * 900_000_000));
    const run = { command: ['/bin/sh', fixture('grows-a-tree.sh')] };
    const id = await cluster.api.submit({ name, run, env: { PIDS_DIR: pidsFolder, NAP: nap }, graceSeconds: 1 });
    await eventually('the tree has grown', () => (readdirSync(pidsFolder).length === 6 && processesMarked(nap).length >= 6 ? true : undefined));
    return { id, nap };
  }

  test.each([false, true])('leaves no process of a tree that forks, double-forks and calls setsid (force: %p)', async (force) => {
    const { id, nap } = await growTree(`tree-${force}`);
    const { status } = await cluster.api.request('POST', `/api/v1/jobs/${id}/cancel`, { force });
    expect(status).toBe(202);
    const job = await cluster.api.waitForEnd(id);
    expect(job).toMatchObject({ status: 'cancelled', reason: 'cancelledByUser' });
    const rung = (await cluster.api.attempts(id)).at(-1)?.containment;
    if (rung === 'cgroup') expect(groups().length).toBeGreaterThan(0);
    const survivors = processesMarked(nap);
    // The group rung finds processes by their parents and their environment: one that has neither may stay, and it says so.
    expect(survivors.length).toBeLessThanOrEqual(rung === 'group' ? 1 : 0);
    for (const pid of survivors) process.kill(pid, 'SIGKILL');
  });

  test('of a queued job ends it at once', async () => {
    const id = await cluster.api.submit({ name: 'queued', run: { shell: 'true' }, needs: { labels: { zone: 'moon' } } });
    expect((await cluster.api.request<{ status: string }>('POST', `/api/v1/jobs/${id}/cancel`, {})).body.status).toBe('cancelled');
  });

  test('of a job that is over is refused with its state and what may be done instead', async () => {
    const id = await cluster.api.submit({ name: 'over', run: { shell: 'true' } });
    await cluster.api.waitForEnd(id);
    const { status, body } = await cluster.api.request<Record<string, unknown>>('POST', `/api/v1/jobs/${id}/cancel`, {});
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'illegalTransition', currentState: 'completed' });
    expect(body.allowedActions).not.toContain('cancel');
  });
});
