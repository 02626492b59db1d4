import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AttemptDirectory, reservedStatus } from '../../src/supervisor/attempt-directory.js';
import { FileLane } from '../../src/supervisor/file-lane.js';
import { readBootId, readStat } from '../../src/supervisor/process-identity.js';
import { SlotPool } from '../../src/supervisor/slot-pool.js';
import { writeDeadline } from '../../src/supervisor/warden.js';
import { DriverProgram, type Driver } from './driver-process.js';
import { canMount, machineHas, mountSmall } from './machine.js';
import { anOffer, aStateDir, clock, eventually, ManagerHarness, pidsOf, readText, removeStateDir } from './manager-harness.js';

jest.setTimeout(120_000);


describe('a warm supervisor', () => {
  let stateDir: string;
  let pool: SlotPool;
  const lane = new FileLane();
  const heard: string[] = [];
  let nowMs = 0;
  beforeEach(async () => {
    stateDir = aStateDir();
    heard.length = 0;
    mkdirSync(join(stateDir, 'attempts'));
    pool = new SlotPool({
      size: 2,
      shellPath: '/bin/sh',
      stateDir,
      attemptsDir: join(stateDir, 'attempts'),
      cgroupRoot: '',
      seats: null,
      listener: {
        ended: (id) => heard.push(`ended ${id}`),
        refused: (id) => heard.push(`refused ${id}`),
        supervisorLost: (id) => heard.push(`lost ${id}`),
        tooLate: (id) => heard.push(`late ${id}`),
      },
      clock: { monotonicMs: () => nowMs },
      warn: () => undefined,
    });
    await pool.open();
  });
  afterEach(async () => {
    await pool.close();
    removeStateDir(stateDir);
  });
  afterAll(() => lane.close());

  const prepared = async (name: string, script: string): Promise<AttemptDirectory> => {
    const directory = new AttemptDirectory(join(stateDir, 'attempts', name));
    await directory.create(lane, '{}', [reservedStatus(directory), directory.written(Buffer.from(script))]);
    return directory;
  };
  const start = (name: string, notAfterMs = Number.POSITIVE_INFINITY): void =>
    pool.start(name, { inCgroup: false, notAfterMs });
  const says = (line: string): Promise<true> =>
    eventually(`a supervisor says "${line}"`, () => (heard.includes(line) ? true : null));

  it('refuses the second start of a directory and leaves the record of the first alone', async () => {
    const directory = await prepared('one', 'echo once; exit 3');
    start('one');
    await says('ended one');
    const before = [readFileSync(directory.file('status'), 'latin1'), readFileSync(directory.file('ident'), 'latin1')];
    start('one');
    await says('refused one');

    expect([readFileSync(directory.file('status'), 'latin1'), readFileSync(directory.file('ident'), 'latin1')]).toEqual(
      before,
    );
    expect(directory.readStatus()).toMatchObject({ code: 3, text: null });
    expect(readText(directory.file('output'))).toBe('once\n');
  });

  it('runs nothing once the start was forbidden', async () => {
    const directory = await prepared('never', 'echo ran');
    expect([await directory.forbidStart(), await directory.forbidStart()]).toEqual([true, false]);
    start('never');
    await says('ended never');

    expect(readText(directory.file('output'))).toBe('');
    expect([directory.readGo(), directory.has('noexec'), directory.readStatus()?.code]).toEqual(['agent', true, 125]);
  });

  it('writes down who the job is before it runs', async () => {
    const directory = await prepared('who', 'read -r stat </proc/self/stat; echo "$stat"; exit 0');
    start('who');
    await says('ended who');

    const ident = directory.readIdent();
    const fields = readText(directory.file('output')).split(' ');
    expect(ident.bootId).toBe(readBootId());
    expect([ident.job?.pid, ident.job?.startTicks]).toEqual([Number(fields[0]), Number(fields[21])]);
    expect(directory.readGo()).toBe('job');
  });

  it('is replaced when it dies, and the jobs waiting for it are served', async () => {
    const directory = await prepared('doomed', 'exec sleep 60');
    start('doomed');
    const { supervisor, job } = await eventually('the job is identified', () => {
      const ident = directory.readIdent();
      return ident.supervisor && ident.job ? { supervisor: ident.supervisor, job: ident.job } : null;
    });
    process.kill(supervisor.pid, 'SIGKILL');
    await says('lost doomed');
    process.kill(job.pid, 'SIGKILL');

    for (const name of ['a', 'b', 'c']) {
      await prepared(name, 'sleep 0.1; exit 0');
      start(name);
    }
    await Promise.all(['a', 'b', 'c'].map((name) => says(`ended ${name}`)));
  });

  it('tells nobody of a job that waited past its last moment, and serves the next', async () => {
    for (const name of ['a', 'b']) {
      await prepared(name, 'while [ ! -e go-on ]; do sleep 0.05; done');
      start(name);
    }
    const late = await prepared('late', 'echo ran');
    await prepared('timely', 'exit 0');
    start('late', nowMs + 1_000);
    start('timely', nowMs + 3_000);
    nowMs += 2_000;
    writeFileSync(join(stateDir, 'attempts', 'go-on'), '');

    // Both of the first two, too: whichever did not see it before its folder goes would wait for ever.
    await Promise.all(['a', 'b', 'timely'].map((name) => says(`ended ${name}`)));
    expect(heard.filter((line) => line.endsWith(' late'))).toEqual(['late late']);
    expect([late.readIdent().supervisor, readText(late.file('output'))]).toEqual([null, '']);
  });

  it('survives the signals that end services and terminals', async () => {
    const directory = await prepared('steady', 'sleep 0.5; exit 6');
    start('steady');
    const supervisor = await eventually('it is claimed', () => directory.readIdent().supervisor);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(supervisor.pid, signal);

    await says('ended steady');
    expect(directory.readStatus()?.code).toBe(6);
  });
});

describe('an agent and its supervisors', () => {
  let program: DriverProgram;
  let driver: Driver | null = null;
  let stateDir: string;
  beforeAll(async () => {
    program = await DriverProgram.build();
  });
  afterAll(() => program.remove());
  beforeEach(() => {
    stateDir = aStateDir();
  });
  afterEach(async () => {
    await driver?.kill();
    driver = null;
    removeStateDir(stateDir);
  });

  it('leaves no supervisor behind, whether it closes or is killed', async () => {
    for (const end of ['quit', 'kill'] as const) {
      driver = program.start(stateDir, 3, []);
      await driver.ready();
      // Each leads a session; the process it holds prepared for the next job is in it.
      const shells = await pidsOf(join(stateDir, 'slot.sh'));
      expect(shells.filter((pid) => readStat(pid)?.sessionId === pid)).toHaveLength(3);
      await driver[end]();
      await eventually('all supervisors are gone', async () => ((await pidsOf(stateDir)).length === 0 ? true : null));
    }
  });

  it('has exclusive jobs killed at their deadline although it is dead itself', async () => {
    const mark = `exclusive-${process.pid}-${Date.now()}`;
    const offer = anOffer({ run: { command: ['/bin/sh', '-c', 'while :; do sleep 1; done', mark] } });
    driver = program.start(stateDir, 2, [{ offer, grant: { deadlineMs: clock.monotonicMs() + 600_000 }, fenceMs: 1_500 }]);
    await driver.says('the job runs', (line) => line.kind === 'running');
    await driver.says('all started', (line) => line.kind === 'allStarted');
    await driver.kill();
    await eventually('the warden killed it', async () => ((await pidsOf(mark)).length === 0 ? true : null));

    driver = program.start(stateDir, 2, []);
    const found = await driver.says('recovered', (line) => line.kind === 'recovered');
    const end = found.view?.end ?? (await driver.ended(offer.attemptId)).end;
    expect(end).toMatchObject({ outcome: 'lost' });
    expect(end?.detail).toMatch('the warden killed it');
    await endWarden(stateDir);
  });

  it('keeps serving another attempt after a restart once it was re-bound', async () => {
    const harness = await ManagerHarness.open({ stateDir });
    const executionId = await harness.begin({ run: { shell: `echo up; until [ -e '${stateDir}/let-go' ]; do sleep 0.05; done; exit 2` } });
    await harness.printed(executionId, 'up');
    const ref = { attemptId: anOffer().attemptId, epoch: 5 };
    await harness.manager.rebind(executionId, ref);
    expect(harness.manager.find(ref)?.executionId).toBe(executionId);
    await harness.manager.close();

    driver = program.start(stateDir, 2, []);
    const found = await driver.says('recovered', (line) => line.kind === 'recovered');
    expect(found.view?.ref).toEqual(ref);
    writeFileSync(join(stateDir, 'let-go'), '');
    expect((await driver.ended(ref.attemptId)).end?.exit).toEqual({ code: 2, signal: null });
  });
});

describe('a deadline', () => {
  it('is the moment it was given for, however long the machine stood still before it was written', async () => {
    const stateDir = aStateDir();
    try {
      const directory = new AttemptDirectory(stateDir);
      const atMs = clock.monotonicMs() + 60_000;
      await writeDeadline(directory, atMs, clock, null);
      const before = Number.parseInt(readText(directory.file('deadline')), 10);
      await writeDeadline(directory, atMs, { monotonicMs: () => clock.monotonicMs() + 40_000 }, null);
      expect(before - Number.parseInt(readText(directory.file('deadline')), 10)).toBeGreaterThanOrEqual(39);
    } finally {
      removeStateDir(stateDir);
    }
  });
});

describe('the warden', () => {
  let harness: ManagerHarness;
  beforeAll(async () => {
    harness = await ManagerHarness.open();
  });
  afterAll(async () => {
    await harness.destroy();
    await endWarden(harness.stateDir);
  });

  it('spares a job whose deadline keeps being moved', async () => {
    const executionId = await harness.begin(
      { run: { shell: 'for i in 1 2 3 4 5 6 7; do echo $i; sleep 0.5; done' } },
      { deadlineMs: clock.monotonicMs() + 1_000 },
    );
    const renewal = setInterval(() => void harness.manager.setDeadline(executionId, clock.monotonicMs() + 5_000), 200);
    try {
      expect(await harness.end(executionId)).toMatchObject({ outcome: 'succeeded' });
    } finally {
      clearInterval(renewal);
    }
  });

  it('is only one, the newest', async () => {
    await harness.run({ run: { command: ['/bin/true'] } }, { deadlineMs: clock.monotonicMs() + 60_000 });
    writeFileSync(join(harness.stateDir, 'warden.token'), 'another\n');
    await eventually('the old one ends', async () =>
      (await pidsOf(join(harness.stateDir, 'warden.sh'))).length === 0 ? true : null,
    );
    await harness.run({ run: { command: ['/bin/true'] } }, { deadlineMs: clock.monotonicMs() + 60_000 });
    expect(await pidsOf(join(harness.stateDir, 'warden.sh'))).toHaveLength(1);
  });
});

describe('a full disk', () => {
  const itHere = machineHas('the right to mount a file system', canMount()) ? it : it.skip;
  itHere('costs a job its output and not its exit code', async () => {
    const stateDir = aStateDir();
    mountSmall(stateDir);
    const harness = await ManagerHarness.open({ stateDir, slots: 1 });
    try {
      const shell =
        'i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo 0123456789012345678901234567890123456789 || break; done 2>/dev/null; head -c 2000000 /dev/zero; exit 7';
      const { end, log } = await harness.run({ run: { shell } });
      expect(end).toMatchObject({ outcome: 'failed', exit: { code: 7, signal: null } });
      expect(log.length).toBeGreaterThan(100_000);
      await expect(harness.accept({})).rejects.toThrow('ENOSPC');
      expect([harness.manager.slots().free, harness.manager.list().length]).toEqual([1, 1]);
    } finally {
      await harness.manager.close();
      execFileSync('umount', ['-l', stateDir]);
      rmSync(stateDir, { recursive: true, force: true });
    }
  });
});

/** The warden outlives its agent by design; the token of another ends it. */
async function endWarden(stateDir: string): Promise<void> {
  mkdirSync(stateDir, { recursive: true });
  writeFileSync(join(stateDir, 'warden.token'), 'ended by the test\n');
  await eventually('the warden is gone', async () =>
    (await pidsOf(join(stateDir, 'warden.sh'))).length === 0 ? true : null,
  );
  removeStateDir(stateDir);
}
