import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MetricPointView, Page } from '@muster/protocol';
import { fixture, startCluster, type Cluster } from '../src/cluster.js';
import { eventually } from '../src/eventually.js';
import { expectedLines } from '../src/expected-lines.js';

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

describe('a submitted job', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.startAgent('one', { MUSTER_AGENT_SLOTS: '2' });
  });
  afterAll(() => cluster?.stop());

  const node = (name: string, ...args: string[]) => ({ command: [process.execPath, fixture(name), ...args] });

  test('runs once, and its log is complete to the byte', async () => {
    const runsFile = join(cluster.folder, 'runs-once');
    const id = await cluster.api.submit({ name: 'lines', run: node('prints-lines.mjs'), env: { LINES: '20000', WIDTH: '80' } });
    const counted = await cluster.api.submit({ name: 'counted', run: node('counts-seconds.mjs'), env: { TICKS: '2', TICK_MS: '10', RUNS_FILE: runsFile } });
    const job = await cluster.api.waitForEnd(id);
    expect(job).toMatchObject({ status: 'completed', reason: 'succeeded', exitCode: 0, attemptCount: 1 });
    expect(sha256(await cluster.api.completeLog(id))).toBe(sha256(expectedLines(20_000, 80)));
    await cluster.api.waitForEnd(counted);
    expect(readFileSync(runsFile, 'utf8').trim().split('\n')).toHaveLength(1);
  });

  test('that exits non-zero fails with its code and without a second try', async () => {
    const id = await cluster.api.submit({ name: 'seven', run: { shell: 'echo before; exit 7' } });
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'failed', reason: 'nonZeroExit', exitCode: 7, attemptCount: 1 });
    expect((await cluster.api.completeLog(id)).toString()).toBe('before\n');
  });

  test('that is ended by a signal says which', async () => {
    const id = await cluster.api.submit({ name: 'segv', run: { shell: 'kill -SEGV $$' } });
    const job = await cluster.api.waitForEnd(id);
    expect(job).toMatchObject({ status: 'failed', signal: 'SIGSEGV' });
    // In a pid namespace a signal and the code 128 + n look alike, and the exit says so.
    const { containment, exit } = (await cluster.api.attempts(id)).at(-1) ?? {};
    expect(exit?.likely ?? false).toBe(containment === 'namespace');
    expect(job.reason).toBe(exit?.likely ? 'nonZeroExit' : 'signalled');
  });

  test('whose command does not exist on the worker ends with spawnFailed and the command in the reason', async () => {
    const id = await cluster.api.submit({ name: 'missing', run: { command: ['no-such-program-anywhere', '--flag'] } });
    const job = await cluster.api.waitForEnd(id);
    expect(job).toMatchObject({ status: 'failed', reason: 'spawnFailed' });
    expect(job.reasonDetail).toContain('no-such-program-anywhere');
    expect((await cluster.api.attempts(id)).at(-1)).toMatchObject({ outcome: 'spawnFailed' });
  });

  test('is retried as often as it asks after a failure, and then fails', async () => {
    const id = await cluster.api.submit({ name: 'twice', run: { shell: 'exit 75' }, retry: { onFailure: 1, backoffSeconds: 0 } });
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'failed', exitCode: 75, attemptCount: 2 });
    expect(await cluster.api.attempts(id)).toHaveLength(2);
  });

  test('shows the metrics, the progress and the result that it wrote to its files', async () => {
    const id = await cluster.api.submit({ name: 'reports', run: node('reports.mjs') });
    const job = await cluster.api.waitForEnd(id);
    expect(job.result).toEqual({ answer: 42, nul: 'a\u0000b' });
    // Both travel beside the end, which waits for neither.
    const { progress } = await cluster.api.waitFor(id, 'shows its last progress', (shown) => shown.progress?.fraction === 1);
    expect(progress).toMatchObject({ message: 'step 4' });
    const points = await eventually('every metric is stored', async () => {
      const { data } = await cluster.api.get<Page<MetricPointView>>(`/api/v1/jobs/${id}/metrics`);
      return data.length === 5 ? data : undefined;
    });
    expect(points.map((point) => [point.step, point.values.loss])).toEqual([0, 1, 2, 3, 4].map((step) => [step, 1 / (step + 1)]));
  });

  test('is given every byte of its arguments and variables, and arguments of 64 KB', async () => {
    let everyByte = '';
    for (let code = 1; code < 256; code++) everyByte += String.fromCharCode(code);
    const odd = `${everyByte}'"\`$(touch /tmp/never)\n\\`;
    const args = [odd, '', ' ', '-n', "it's", 'x'.repeat(64 * 1024)];
    const id = await cluster.api.submit({ name: 'bytes', run: node('echoes-argv.mjs', ...args), env: { ODD: odd } });
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'completed' });
    expect(JSON.parse((await cluster.api.completeLog(id)).toString())).toEqual({ argv: args.map(sha256), odd: sha256(odd) });
  });

  test('waits in the queue while every slot is taken, and never fails for it', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, (_, i) => cluster.api.submit({ name: `slot-${i}`, run: { shell: 'sleep 0.4' } })));
    const jobs = await Promise.all(ids.map((id) => cluster.api.waitForEnd(id)));
    expect(jobs.map((job) => job.status)).toEqual(ids.map(() => 'completed'));
    const spans = jobs.map((job) => [Date.parse(job.startedAt ?? ''), Date.parse(job.finishedAt ?? '')] as const);
    for (const [began] of spans) expect(spans.filter(([from, to]) => from <= began && began < to).length).toBeLessThanOrEqual(2);
  });

  test('that no worker can serve stays queued and says why', async () => {
    const id = await cluster.api.submit({ name: 'nobody', run: { shell: 'true' }, needs: { labels: { zone: 'moon' } } });
    const job = await cluster.api.waitFor(id, 'says why it waits', ({ reason }) => reason === 'noMatchingWorker');
    expect(job.status).toBe('queued');
    expect(job.reasonDetail).toContain('zone');
  });
});
