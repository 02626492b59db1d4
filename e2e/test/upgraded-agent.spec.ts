import { mkdirSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerView } from '@muster/protocol';
import { AGENT_PROGRAM, startCluster, type Cluster } from '../src/cluster.js';
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

describe('an agent that is replaced by a newer one', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  const worker = async (): Promise<WorkerView | undefined> => (await cluster.api.workers())[0];

  test('goes on with the very process of its job, its whole log and its attempt, and says its new version', async () => {
    expect(VERSION).not.toBe('');
    const folder = join(cluster.folder, 'installed');
    const agent = await cluster.startAgent('lab', {}, install(folder, EARLIER));
    const attemptsDir = join(cluster.folder, 'agent-lab', 'attempts');
    const goOn = join(cluster.folder, 'enough');
    const shell = `i=0; until [ -e '${goOn}' ]; do i=$((i + 1)); echo "line $i"; sleep 0.02; done; echo over; exit 3`;
    const id = await cluster.api.submit({ name: 'prints-on', run: { shell } });
    await cluster.api.waitForOutput(id);
    const [executionId = ''] = readdirSync(attemptsDir);
    const printed = () => readText(join(attemptsDir, executionId, 'out.log')).length;
    const before = { process: jobOf(attemptsDir, executionId), attempts: await cluster.api.attempts(id) };
    expect(await worker()).toMatchObject({ agentVersion: EARLIER });

    // Exactly what an upgrade is: another file in its place, and the service is restarted.
    install(folder, VERSION);
    expect(await agent.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    const printedThen = printed();
    await eventually('the job prints with nobody there', () => (printed() > printedThen + 20 ? true : undefined));
    agent.start();
    await eventually('the new agent is heard', async () => ((await worker())?.agentVersion === VERSION ? true : undefined));
    const stored = async () => (await cluster.api.attempts(id))[0]?.logs.output?.storedLength ?? 0;
    const printedNow = printed();
    await eventually('the new agent ships what is printed', async () => ((await stored()) > printedNow ? true : undefined));

    expect(isAlive(before.process)).toBe(true);
    expect(jobOf(attemptsDir, executionId)).toEqual(before.process);
    expect(await worker()).toMatchObject({ agentVersion: VERSION, slotsUsed: 1, link: 'connected' });
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
