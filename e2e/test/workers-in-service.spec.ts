import { mkdirSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerView } from '@muster/protocol';
import pg from 'pg';
import { Cli } from '../src/cli.js';
import { AGENT_PROGRAM, startCluster, type Cluster } from '../src/cluster.js';
import { removeControlGroups } from '../src/control-groups.js';
import { eventually } from '../src/eventually.js';
import { isAlive, readText, type Identity } from '../src/processes.js';

const SHIPPED = readFileSync(AGENT_PROGRAM, 'utf8');
const [VERSION_TEXT = '', VERSION = ''] = /\bAGENT_VERSION ?= ?"([^"]+)"/.exec(SHIPPED) ?? [];
const EARLIER = '0.0.7';

/** Puts an agent of this version in place of the one that is installed there, as a package manager does. */
function install(folder: string, version: string): string {
  mkdirSync(`${folder}.new`, { recursive: true });
  writeFileSync(join(`${folder}.new`, 'main.mjs'), SHIPPED.replace(VERSION_TEXT, VERSION_TEXT.replace(VERSION, version)));
  if (statSync(folder, { throwIfNoEntry: false })) renameSync(folder, `${folder}.before`);
  renameSync(`${folder}.new`, folder);
  return join(folder, 'main.mjs');
}

describe('machines that are taken out of service and put back', () => {
  let cluster: Cluster;
  let cli: Cli;
  let replicaUrl: string;
  beforeAll(async () => {
    cluster = await startCluster();
    replicaUrl = await cluster.startReplica();
    const home = join(cluster.folder, 'home');
    mkdirSync(home);
    cli = new Cli(home, { MUSTER_URL: cluster.api.url, MUSTER_KEY: cluster.adminKey });
  });
  afterAll(async () => {
    cli?.stop();
    // The agent that is cut cannot end what a failed test left.
    if (cluster) for (const name of ['left', 'fenced']) mayEnd(name);
    if (cluster) await removeControlGroups(cutStateDir());
    await cluster?.stop();
  });

  const inFolder = (name: string): string => join(cluster.folder, name);
  const cutStateDir = (): string => inFolder('agent-cut');
  async function worker(name: string): Promise<WorkerView> {
    const found = (await cluster.api.workers()).find((one) => one.name === name);
    if (!found) throw new Error(`There is no worker ${name}.`);
    return found;
  }
  /** Says that it has begun, and ends when the file `name` is there. */
  const submit = (name: string, labels: Record<string, string>): Promise<string> =>
    cluster.api.submit({
      name,
      run: { shell: `echo "begun $MUSTER_ATTEMPT"; until [ -e '${inFolder(name)}' ]; do sleep 0.05; done; echo over` },
      needs: { labels },
      graceSeconds: 1,
      // Nobody may spend a retry on what was planned.
      retry: { onFailure: 0, onWorkerLost: 0, backoffSeconds: 0 },
    });
  /** As if the time were over in which its worker may be silent. */
  async function endLeaseOf(jobId: string): Promise<void> {
    const client = new pg.Client({ connectionString: cluster.databaseUrl });
    try {
      await client.connect();
      await client.query('update attempt set lease_until = now() where job_id = $1 and lease_until is not null', [jobId]);
    } finally {
      await client.end();
    }
  }
  const mayEnd = (name: string): void => writeFileSync(inFolder(name), '');

  describe('by a drain', () => {
    beforeAll(async () => {
      await cluster.startAgent('north', { MUSTER_AGENT_LABELS: 'in=pair,is=north', MUSTER_AGENT_SLOTS: '2' });
    });

    test('what still runs at the deadline goes on elsewhere without spending a retry, and nothing new is offered', async () => {
      const moved = await submit('moved', { in: 'pair' });
      await cluster.api.waitForOutput(moved);
      await cluster.startAgent('south', { MUSTER_AGENT_LABELS: 'in=pair,is=south', MUSTER_AGENT_SLOTS: '2' });

      const drained = await cli.run(['drain', 'north', '--policy', 'requeue', '--deadline', '1s', '--reason', 'new disk', '--wait']);
      expect(drained).toMatchObject({ code: 0, stdout: '' });
      expect(drained.stderr).toMatch(/^north draining: 1 of 1 job left, (?:stopped in \d+s|being stopped) \(new disk, admin\)\n/);
      expect(drained.stderr).toMatch(/^north is drained after [\dms ]+$/m);
      expect(await worker('north')).toMatchObject({ slotsUsed: 0, available: false, maintenance: { reason: 'new disk' }, drain: { state: 'drained' } });

      const keptOut = await submit('kept-out', { is: 'north' });
      const another = await submit('another', { in: 'pair' });
      mayEnd('another');
      mayEnd('moved');
      expect(await cluster.api.waitForEnd(moved)).toMatchObject({ status: 'completed', workerName: 'south', attemptCount: 2 });
      const attempts = await cluster.api.attempts(moved);
      expect(attempts.map(({ workerName, outcome }) => [workerName, outcome])).toEqual([['north', 'stopped'], ['south', 'succeeded']]);
      expect((await cluster.api.completeLog(moved)).toString()).toBe('begun 2\nover\n');
      expect(await cluster.api.waitForEnd(another)).toMatchObject({ status: 'completed', workerName: 'south' });
      expect(await cluster.api.job(keptOut)).toMatchObject({ status: 'queued', attemptCount: 0 });

      mayEnd('kept-out');
      expect(await cli.run(['undrain', 'north'])).toMatchObject({ code: 0, stderr: expect.stringContaining('north takes jobs again') });
      expect(await cluster.api.waitForEnd(keptOut)).toMatchObject({ status: 'completed', workerName: 'north' });
    });

    test('that waits lets what runs end where it is, and then nothing is left there', async () => {
      const stays = await submit('stays', { is: 'north' });
      await cluster.api.waitForOutput(stays);
      const drain = cli.start(['drain', 'north', '--wait', '--json']);
      await eventually('the drain is ordered', async () => ((await worker('north')).drain === null ? undefined : true));
      expect(await worker('north')).toMatchObject({ slotsUsed: 1, drain: { state: 'draining', policy: 'wait', jobsLeft: 1 } });
      expect(await cluster.api.job(stays)).toMatchObject({ status: 'running', attemptCount: 1 });
      mayEnd('stays');
      const { code, stdout } = await drain.result;
      expect({ code, worker: JSON.parse(stdout) as unknown }).toMatchObject({ code: 0, worker: { name: 'north', drain: { state: 'drained', jobsLeft: 0 } } });
      expect(await cluster.api.waitForEnd(stays)).toMatchObject({ status: 'completed', workerName: 'north', attemptCount: 1 });
    });
  });

  test('by the end of their key: its agent is cut on every replica, and its job goes on elsewhere and ends once', async () => {
    const keyFile = inFolder('cut.key');
    const made = await cli.run(['keys', 'create', '--name', 'cut', '--role', 'worker']);
    writeFileSync(keyFile, made.stdout, { mode: 0o600 });
    // The secret it has is replaced, and works on meanwhile.
    const rotated = await cli.run(['keys', 'rotate', 'cut', '--overlap', '1h']);
    expect(rotated).toMatchObject({ code: 0, stdout: expect.stringMatching(/^wak_/) });
    expect(rotated.stdout).not.toBe(made.stdout);
    // Connected to another replica than the one that hears of it.
    const words = ['agent', 'run', '--url', replicaUrl, '--key-file', keyFile, '--name', 'cut', '-l', 'for=revoked', '--slots', '1', '--state-dir', cutStateDir()];
    const startCut = () => cli.start(words, { env: { MUSTER_AGENT_MONITOR_PORT: 'off' } });
    const agent = startCut();
    const id = await cluster.api.submit({
      name: 'fenced',
      run: { shell: `[ $MUSTER_ATTEMPT = 1 ] && end='${inFolder('left')}' || end='${inFolder('fenced')}'; echo begun; until [ -e "$end" ]; do sleep 0.05; done; echo over` },
      needs: { labels: { for: 'revoked' } },
      retry: { backoffSeconds: 0 },
    });
    await cluster.api.waitForOutput(id);

    expect(await cli.run(['keys', 'revoke', 'cut'])).toMatchObject({ code: 0 });
    expect(await agent.result).toMatchObject({ code: 78, stderr: expect.stringContaining('revoked') });
    expect(await cli.run(['keys', 'list'])).toMatchObject({ stdout: expect.stringMatching(/ cut +worker .*revoked/) });
    // What it left runs on and ends; nobody believes a word of that.
    mayEnd('left');
    await endLeaseOf(id);
    await cluster.startAgent('spare', { MUSTER_AGENT_LABELS: 'for=revoked' });
    await cluster.api.waitFor(id, 'runs elsewhere', ({ workerName, status }) => workerName === 'spare' && status === 'running');
    expect(await startCut().result).toMatchObject({ code: 78 });
    mayEnd('fenced');
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'completed', workerName: 'spare' });
    const attempts = (await cluster.api.attempts(id)).map(({ workerName, outcome }) => [workerName, outcome]);
    expect(attempts).toEqual([['cut', 'lost'], ['spare', 'succeeded']]);
    expect((await cluster.api.completeLog(id)).toString()).toBe('begun\nover\n');
  });

  test('for good: an agent that was away when its worker was removed stops what it finds running, and ends', async () => {
    const agent = await cluster.startAgent('sold', { MUSTER_AGENT_LABELS: 'is=sold' });
    const attemptsDir = join(cluster.folder, 'agent-sold', 'attempts');
    const id = await cluster.api.submit({ name: 'removed', run: { shell: 'echo begun; sleep 600' }, needs: { labels: { is: 'sold' } }, graceSeconds: 1 });
    await cluster.api.waitForOutput(id);
    const [executionId = ''] = readdirSync(attemptsDir);
    const process = jobOf(attemptsDir, executionId);
    await agent.kill('SIGKILL');
    const { id: workerId } = await worker('sold');
    expect((await cluster.api.request('DELETE', `/api/v1/workers/${workerId}?force=true`)).status).toBe(200);
    expect(await cluster.api.job(id)).toMatchObject({ status: 'queued', attemptCount: 1 });
    expect(isAlive(process)).toBe(true);

    agent.start();
    expect(await agent.exit()).toEqual({ code: 78, signal: null });
    expect(isAlive(process)).toBe(false);
    expect((await cluster.api.request('POST', `/api/v1/jobs/${id}/cancel`, {})).status).toBe(202);
  });

  test('for a newer agent, which goes on with the very process of its job, its whole log and its attempt', async () => {
    expect(VERSION).not.toBe('');
    const folder = join(cluster.folder, 'installed');
    const agent = await cluster.startAgent('lab', { MUSTER_AGENT_LABELS: 'is=lab' }, install(folder, EARLIER));
    const attemptsDir = join(cluster.folder, 'agent-lab', 'attempts');
    const goOn = join(cluster.folder, 'enough');
    const shell = `i=0; until [ -e '${goOn}' ]; do i=$((i + 1)); echo "line $i"; sleep 0.02; done; echo over; exit 3`;
    const id = await cluster.api.submit({ name: 'prints-on', run: { shell }, needs: { labels: { is: 'lab' } } });
    await cluster.api.waitForOutput(id);
    const [executionId = ''] = readdirSync(attemptsDir);
    const printed = () => readText(join(attemptsDir, executionId, 'out.log')).length;
    const before = { process: jobOf(attemptsDir, executionId), attempts: await cluster.api.attempts(id) };
    expect(await worker('lab')).toMatchObject({ agentVersion: EARLIER, versionSkew: 'older' });

    // Exactly what an upgrade is: another file in its place, and the service is restarted.
    install(folder, VERSION);
    expect(await agent.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    const printedThen = printed();
    await eventually('the job prints with nobody there', () => (printed() > printedThen + 20 ? true : undefined));
    agent.start();
    await eventually('the new agent is heard', async () => ((await worker('lab')).agentVersion === VERSION ? true : undefined));
    const stored = async () => (await cluster.api.attempts(id))[0]?.logs.output?.storedLength ?? 0;
    const printedNow = printed();
    await eventually('the new agent ships what is printed', async () => ((await stored()) > printedNow ? true : undefined));

    expect(isAlive(before.process)).toBe(true);
    expect(jobOf(attemptsDir, executionId)).toEqual(before.process);
    expect(await worker('lab')).toMatchObject({ agentVersion: VERSION, versionSkew: 'same', slotsUsed: 1 });
    const identityOf = ({ id: attemptId, epoch, number, state }: (typeof before.attempts)[number]) => ({ attemptId, epoch, number, state });
    expect((await cluster.api.attempts(id)).map(identityOf)).toEqual(before.attempts.map(identityOf));

    writeFileSync(goOn, '');
    expect(await cluster.api.waitForEnd(id)).toMatchObject({ status: 'failed', exitCode: 3, attemptCount: 1 });
    const lines = (await cluster.api.completeLog(id)).toString().trimEnd().split('\n');
    expect(lines).toEqual([...lines.slice(1).map((_, at) => `line ${at + 1}`), 'over']);
  });
});

/** The process of the job as its own supervisor noted it. */
function jobOf(attemptsDir: string, executionId: string): Identity {
  const [, pid, startTicks] = /\ni (\d+) (\d+) /.exec(readText(join(attemptsDir, executionId, 'ident'))) ?? [];
  return { pid: Number(pid), startTicks: Number(startTicks) };
}
