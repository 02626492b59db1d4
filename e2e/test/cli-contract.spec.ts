import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Cli } from '../src/cli.js';
import { startCluster, type Cluster } from '../src/cluster.js';
import { eventually } from '../src/eventually.js';

const JOB = [
  'allowedActions',
  'attemptCount',
  'createdAt',
  'currentAttemptId',
  'desired',
  'error',
  'exitCode',
  'finishedAt',
  'id',
  'labels',
  'name',
  'notBeforeAt',
  'owner',
  'priority',
  'progress',
  'reason',
  'reasonDetail',
  'reasonText',
  'result',
  'signal',
  'spec',
  'startedAt',
  'status',
  'workerId',
  'workerLink',
  'workerName',
];
const ATTEMPT = [
  'attemptId',
  'containment',
  'detail',
  'endedAt',
  'epoch',
  'exit',
  'id',
  'jobId',
  'leaseUntil',
  'logs',
  'number',
  'offeredAt',
  'outcome',
  'startedAt',
  'state',
  'usage',
  'workerId',
  'workerName',
];
const EVENT = ['actor', 'at', 'attemptId', 'data', 'id', 'jobId', 'seq', 'type', 'workerId'];
const WORKER = [
  'adapter',
  'agentVersion',
  'available',
  'capability',
  'contentTypes',
  'counters',
  'drain',
  'features',
  'foreignId',
  'healthy',
  'id',
  'inventory',
  'keyId',
  'labels',
  'lastBeatAt',
  'link',
  'load',
  'location',
  'maintenance',
  'metrics',
  'name',
  'overridden',
  'owner',
  'registeredAt',
  'removedAt',
  'reportedStatus',
  'said',
  'sample',
  'slots',
  'slotsUsed',
  'status',
  'versionSkew',
];
const KEY = [
  'createdAt',
  'expiresAt',
  'id',
  'lastUsedAt',
  'name',
  'overlapEndsAt',
  'owner',
  'prefix',
  'revokedAt',
  'role',
  'rotatedAt',
];
const PROBLEM = ['code', 'detail', 'errors', 'exitCode', 'hint', 'requestId', 'status', 'title', 'type'];

const keysOf = (value: unknown): string[] => Object.keys(value as object).sort();

describe('for programs, the muster command', () => {
  let cluster: Cluster;
  let cli: Cli;
  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.startAgent('one', { MUSTER_AGENT_SLOTS: '2' });
    const home = join(cluster.folder, 'home');
    mkdirSync(home);
    cli = new Cli(home, { MUSTER_URL: cluster.api.url, MUSTER_KEY: cluster.adminKey });
    await cli.run(['submit', '--wait', '--name', 'first', '--label', 'exp=7', '--', 'echo', 'hi']);
  });
  afterAll(async () => {
    cli?.stop();
    await cluster?.stop();
  });

  async function json<T>(...words: string[]): Promise<T> {
    const { code, stdout, stderr } = await cli.run([...words, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as T;
  }

  test.each([
    [['submit', '--label', 'a=b', '--shell', 'true'], JOB],
    [['wait', 'first'], JOB],
    [
      ['explain', 'first'],
      ['detail', 'jobId', 'perWorker', 'reason', 'reasonText', 'status'],
    ],
    [['worker', 'rename', 'one', 'uno'], WORKER],
    [['worker', 'label', 'uno', 'zone=lab'], WORKER],
    [['worker', 'set', 'uno', '--slots', '3', '--reset', 'name,labels'], WORKER],
    [['cordon', 'one'], WORKER],
    [['undrain', 'one'], WORKER],
    [['worker', 'set', 'one', '--reset', 'slots'], WORKER],
    [['whoami'], ['context', 'keyId', 'keySource', 'name', 'owner', 'role', 'url', 'version']],
    [['version'], ['node', 'platform', 'version']],
    [['keys', 'create', '--name', 'x', '--role', 'viewer'], [...KEY, 'secret'].sort()],
    [
      ['context', 'show'],
      ['context', 'keySource', 'path', 'url'],
    ],
    [
      ['api', 'GET', '/meta'],
      ['apiBase', 'jobRetentionMs', 'limits', 'logRetentionMs', 'protocolVersion', 'sampleRetentionMs', 'version', 'workerTimeoutMs'],
    ],
  ])('answers %j with one object of known fields', async (words, fields) => {
    expect(keysOf(await json(...words))).toEqual(fields);
  });

  test.each([
    [['ps', '-a'], JOB],
    [['workers'], WORKER],
    [['keys', 'list'], KEY],
  ])('answers %j with a list of objects of known fields', async (words, fields) => {
    const list = await json<unknown[]>(...words);
    expect(list.length).toBeGreaterThan(0);
    for (const item of list) expect(keysOf(item)).toEqual(fields);
  });

  test('shows a job with its attempts and events', async () => {
    const shown = await json<{ job: unknown; attempts: unknown[]; events: unknown[] }>('show', 'first');
    expect(keysOf(shown)).toEqual(['attempts', 'events', 'job']);
    expect([keysOf(shown.job), keysOf(shown.attempts[0]), keysOf(shown.events[0])]).toEqual([JOB, ATTEMPT, EVENT]);
  });

  test('shows every point that a job measured, and as a table the last value of each metric', async () => {
    const script = `echo '{"step":1,"loss":0.5}' >> "$MUSTER_METRICS"; echo '{"step":2,"loss":0.25}' >> "$MUSTER_METRICS"`;
    await cli.run(['submit', '--wait', '--name', 'measured', '--shell', script]);
    // The end of a job may be told before its last point has come.
    const points = await eventually('both points', async () => {
      const found = await json<{ step: number; values: object }[]>('metrics', 'measured');
      return found.length === 2 ? found : undefined;
    });
    expect(points.map(({ step, values }) => ({ step, values }))).toEqual([
      { step: 1, values: { loss: 0.5 } },
      { step: 2, values: { loss: 0.25 } },
    ]);
    expect((await cli.run(['metrics', 'measured'])).stdout).toMatch(/^loss +0\.25 +0\.25 +0\.5 +2 +█▁$/m);
  });

  test('shows a worker with its jobs and events', async () => {
    const shown = await json<{ worker: unknown; jobs: unknown[]; events: unknown[] }>('worker', 'show', 'one');
    expect(keysOf(shown)).toEqual(['events', 'jobs', 'worker']);
    expect([keysOf(shown.worker), keysOf(shown.events[0])]).toEqual([WORKER, EVENT]);
  });

  test('streams what it follows as one JSON value per line, the job last', async () => {
    const { code, stdout } = await cli.run(['run', '--json', '--', 'sh', '-c', 'echo hi; exit 3']);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; base64?: string; job?: unknown });
    expect(code).toBe(1);
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['status', 'attempt', 'log', 'end', 'job']));
    expect(events.map(({ base64 }) => Buffer.from(base64 ?? '', 'base64').toString()).join('')).toBe('hi\n');
    expect(events.at(-1)).toMatchObject({ type: 'job', job: { status: 'failed', exitCode: 3 } });
  });

  test('answers a failure with a problem document on stderr and nothing on stdout', async () => {
    const cases: readonly (readonly [string[], number, string])[] = [
      [['show', 'nope', '--json'], 3, 'notFound'],
      [['ps', '--nope', '--json'], 2, 'usage'],
      [['submit', '--json', '--retries', '1000', '--', 'true'], 2, 'invalidRequest'],
      [['ps', '--json', '--url', 'http://127.0.0.1:9'], 6, 'unreachable'],
      [['cancel', 'first', '--json'], 5, 'illegalTransition'],
    ];
    for (const [words, code, problem] of cases) {
      const result = await cli.run(words);
      expect(result).toMatchObject({ code, stdout: '' });
      const document: unknown = JSON.parse(result.stderr);
      expect(keysOf(document)).toEqual(PROBLEM);
      expect(document).toMatchObject({ code: problem, exitCode: code });
    }
  });

  test('prints ids alone where a script asks for them, and no colour into a pipe', async () => {
    const submitted = await cli.run(['submit', '--parsable', '--', 'true']);
    expect(submitted).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^job_[0-9A-Z]{26}\n$/) });
    for (const words of [['ps', '-a'], ['show', 'first'], ['workers'], ['--help']]) {
      expect((await cli.run(words)).stdout).not.toContain('\u001b');
    }
    expect((await cli.run(['ps', '-a'], { env: { FORCE_COLOR: '1' } })).stdout).toContain('\u001b[');
  });

  test('submits what a file says: one job, several, or none of them when one is wrong', async () => {
    const one = { name: 'from-file', run: { command: ['sh', '-c', 'echo $GREETING'] }, env: { GREETING: 'file' } };
    const yaml = 'name: from-yaml\nrun:\n  shell: echo yaml\n';
    const ran = await cli.run(['submit', '-', '--follow', '-e', 'GREETING=flag'], { stdin: JSON.stringify(one) });
    expect(ran).toMatchObject({ code: 0, stdout: 'flag\n', stderr: expect.stringContaining('completed') });
    const file = join(cluster.folder, 'jobs.yaml');
    writeFileSync(file, `${yaml}---\n${yaml}`);
    const two = await cli.run(['submit', file, '--wait', '--parsable']);
    expect(two.stdout.trim().split('\n')).toHaveLength(2);
    const before = (await json<unknown[]>('ps', '-a', '--limit', '0')).length;
    const wrong = await cli.run(['submit', '-'], { stdin: JSON.stringify([one, { ...one, surprise: 1 }]) });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('/jobs/1/surprise') });
    expect(await json<unknown[]>('ps', '-a', '--limit', '0')).toHaveLength(before);
  });

  test('submits nothing with --dry-run and shows what it would send', async () => {
    const before = (await json<unknown[]>('ps', '-a', '--limit', '0')).length;
    const { stdout } = await cli.run(['submit', '--dry-run', '--timeout', '2h', '--gpus', '1', '--', 'true']);
    expect(JSON.parse(stdout)).toEqual({
      run: { command: ['true'] },
      limits: { runSeconds: 7200 },
      needs: { gpus: 1 },
    });
    expect(await json<unknown[]>('ps', '-a', '--limit', '0')).toHaveLength(before);
  });

  test('keeps a checked key in a file of its owner, and only a checked one', async () => {
    const home = join(cluster.folder, 'another-home');
    mkdirSync(home);
    const fresh = new Cli(home, { MUSTER_URL: cluster.api.url });
    const refused = await fresh.run(['login', '--key-stdin'], { stdin: 'mst_adm_not-a-key\n' });
    expect(refused).toMatchObject({ code: 4, stdout: '' });
    const path = join(home, 'config/muster/contexts.json');
    expect(existsSync(path)).toBe(false);
    expect(await fresh.run(['login', '--key-stdin'], { stdin: `${cluster.adminKey}\n` })).toMatchObject({ code: 0 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toContain(cluster.adminKey);
    // The saved context works without any environment, and an unfinished one is never a prompt.
    expect(await fresh.run(['whoami'], { env: { MUSTER_URL: '' } })).toMatchObject({ code: 0 });
    expect(await fresh.run(['context', 'remove', 'local'])).toMatchObject({ code: 0 });
    expect(await fresh.run(['whoami'])).toMatchObject({ code: 4 });
  });

  test('makes a key that works, and ends it', async () => {
    const { secret, id } = await json<{ secret: string; id: string }>(
      'keys',
      'create',
      '--name',
      'short',
      '--role',
      'submitter',
      '--expires',
      '1h',
    );
    expect(await cli.run(['whoami'], { env: { MUSTER_KEY: secret } })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('submitter'),
    });
    expect(await cli.run(['keys', 'revoke', 'short'])).toMatchObject({ code: 0, stderr: `${id} revoked\n` });
    expect(await cli.run(['whoami'], { env: { MUSTER_KEY: secret } })).toMatchObject({ code: 4 });
  });
});
