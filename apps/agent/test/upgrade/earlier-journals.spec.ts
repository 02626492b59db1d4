import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMarkedSettled } from '../../src/connection/settled-mark.js';
import type { ExecutionId, RecoveredExecution } from '../../src/execution/execution-types.js';
import { Identity } from '../../src/identity/identity.js';
import { StoredKey } from '../../src/identity/stored-key.js';
import { ShippedJournal } from '../../src/shipping/shipped-journal.js';
import { isAlive } from '../../src/supervisor/process-identity.js';
import { AttemptDirectory } from '../../src/supervisor/attempt-directory.js';
import { AGENT_VERSION } from '../../src/version.js';
import { aStateDir, eventually, ManagerHarness, removeStateDir } from '../process/manager-harness.js';
import { record, recordedVersions, replay } from './journal-files.js';
import { KEY, leaveBehind, SHIPPED_BYTES, WORKER_ID } from './leave-behind.js';

jest.setTimeout(180_000);

/**
 * The contract between versions of the agent (docs/upgrading.md): an agent finds its way in what an earlier one left, also
 * among its living supervisors. Recorded once for each version, by that version (`RECORD_JOURNAL=1 npx jest test/upgrade`), and never
 * anew after its release.
 */
beforeAll(async () => {
  if (process.env.RECORD_JOURNAL !== '1') return;
  const stateDir = aStateDir();
  await leaveBehind(stateDir);
  record(AGENT_VERSION, stateDir);
  removeStateDir(stateDir);
});

describe.each(recordedVersions())('an agent that finds what version %s left', (version) => {
  let stateDir: string;
  let supervisors: ChildProcess[];
  let harness: ManagerHarness | undefined;
  beforeEach(() => {
    stateDir = aStateDir();
    supervisors = [];
    harness = undefined;
    replay(version, stateDir);
  });
  afterEach(async () => {
    await harness?.destroy();
    for (const supervisor of supervisors ?? []) supervisor.kill('SIGKILL');
    removeStateDir(stateDir);
  });

  const attempts = (): string => join(stateDir, 'attempts');
  function directoryOf(job: string): AttemptDirectory {
    const isIts = (name: string): boolean =>
      readFileSync(join(attempts(), name, 'intent.json'), 'utf8').includes(`"name":"${job}"`);
    const name = readdirSync(attempts()).find(isIts);
    if (name === undefined) throw new Error(`No execution of ${job} was recorded.`);
    return new AttemptDirectory(join(attempts(), name));
  }
  const idOf = (job: string): ExecutionId => directoryOf(job).path.split('/').at(-1) as ExecutionId;

  /** Starts it as that version did, by its own supervisor, whose agent then ends. */
  async function startedBefore(job: string): Promise<AttemptDirectory> {
    const directory = directoryOf(job);
    const script = [join(stateDir, 'slot.sh'), join(stateDir, 'ready'), ''];
    const supervisor = spawn('/bin/sh', script, {
      cwd: attempts(),
      env: {},
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    supervisors.push(supervisor);
    supervisor.stdin?.end(`p ${idOf(job)}\ns ${idOf(job)}\n`);
    await eventually(`${job} runs`, () => (readText(directory.file('output')).includes('on') ? true : null));
    return directory;
  }

  it('is the same worker, with its key', async () => {
    const before = JSON.parse(readFileSync(join(stateDir, 'identity.json'), 'utf8')) as { machineId: string };
    expect(await Identity.open(stateDir)).toMatchObject({ machineId: before.machineId, workerId: WORKER_ID });
    expect(await new StoredKey(stateDir).read(null)).toBe(KEY);
  });

  it('knows how far a log was acknowledged, and what was settled', async () => {
    const journal = new ShippedJournal(directoryOf('exited').path);
    await journal.load();
    expect(journal.offsetOf('output')).toBe(SHIPPED_BYTES);
    const isSettled = (job: string): Promise<boolean> => isMarkedSettled(directoryOf(job).path);
    expect([await isSettled('exited'), await isSettled('cancelled')]).toEqual([true, false]);
  });

  it('tells of every end as it was, and of what can never run', async () => {
    harness = await ManagerHarness.open({ stateDir, slots: 8 });
    const found = await harness.manager.recover();
    const tell = (one: RecoveredExecution) =>
      one.kind === 'neverStarted'
        ? [one.spec.name, one.kind]
        : [one.view.spec.name, one.view.end?.outcome, one.view.end?.exit?.code ?? one.view.end?.exit?.signal];
    expect(Object.fromEntries(found.map((one) => [tell(one)[0], tell(one).slice(1)]))).toEqual({
      exited: ['failed', 7],
      'left-somebody': ['failed', 4],
      cancelled: ['cancelled', 'SIGTERM'],
      'with-result': ['succeeded', 0],
      ...Object.fromEntries(
        ['never-started', 'runs', 'stands-still', 'is-cancelled'].map((job) => [job, ['neverStarted']]),
      ),
    });
    const withResult = found.find((one) => one.kind === 'ended' && one.view.spec.name === 'with-result');
    expect(withResult).toMatchObject({ view: { end: { result: { a: 1 } } } });
    const { logs, metrics, progress } = harness.manager.paths(idOf('with-result'));
    expect([logs.stdout, logs.stderr, metrics, progress].map((path) => readText(path ?? ''))).toEqual([
      'out\n',
      'err\n',
      '{"loss":1}\n',
      '0.5 half\n',
    ]);
    expect(readText(harness.manager.paths(idOf('exited')).logs.output ?? '')).toBe('hello\n');
  });

  it('goes on with jobs under the supervisors of that version: runs, stands still, is being cancelled', async () => {
    const runs = await startedBefore('runs');
    const stands = await startedBefore('stands-still');
    await startedBefore('is-cancelled');
    const processes = [runs, stands].map((directory) => directory.readIdent().job);

    harness = await ManagerHarness.open({ stateDir, slots: 8 });
    const found = await harness.manager.recover();
    const adopted = found.flatMap((one) =>
      one.kind === 'adopted' ? [[one.view.spec.name, one.view.phase, one.view.stopping]] : [],
    );
    expect(adopted.sort()).toEqual([
      ['is-cancelled', 'running', 'cancelled'],
      ['runs', 'running', null],
      ['stands-still', 'paused', null],
    ]);
    // Its time to end by itself was over long ago, so that it may be gone by now; what goes on keeps its slots.
    expect(await harness.end(idOf('is-cancelled'))).toMatchObject({ outcome: 'cancelled' });
    expect(harness.manager.slots()).toMatchObject({ total: 8, free: 6 });
    for (const process of processes) expect(process !== null && isAlive(process)).toBe(true);

    // One is watched to its end, with its exit and its log whole; the other goes on from where it stood.
    writeFileSync(join(runs.path, 'end'), '');
    expect(await harness.end(idOf('runs'))).toMatchObject({
      outcome: 'failed',
      exit: { code: 9 },
      containment: 'group',
    });
    expect(harness.log(idOf('runs'))).toBe('on\nover\n');
    await harness.manager.thaw(idOf('stands-still'));
    writeFileSync(join(stands.path, 'end'), '');
    expect(await harness.end(idOf('stands-still'))).toMatchObject({ outcome: 'failed', exit: { code: 9 } });
  });
});

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
