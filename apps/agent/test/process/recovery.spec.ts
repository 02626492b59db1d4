import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, readBootId } from '../../src/supervisor/process-identity.js';
import { AttemptDirectory } from '../../src/supervisor/attempt-directory.js';
import type { ExecutionId, ExecutionOffer } from '../../src/execution/execution-types.js';
import {
  anOffer,
  aStateDir,
  eventually,
  FIXTURES,
  ManagerHarness,
  pidsOf,
  readText,
  removeStateDir,
} from './manager-harness.js';
import { type Driver, type DriverLine, DriverProgram } from './driver-process.js';

jest.setTimeout(240_000);

describe('an agent that was killed', () => {
  let program: DriverProgram;
  let stateDir: string;
  let driver: Driver | null = null;
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
    await endAll(stateDir);
    removeStateDir(stateDir);
  });

  const start = (offers: readonly ExecutionOffer[], env: Record<string, string> = {}): Driver => {
    driver = program.start(
      stateDir,
      4,
      offers.map((offer) => ({ offer })),
      env,
    );
    return driver;
  };
  const lines = (count: number, pauseSeconds: string, code: number): ExecutionOffer =>
    anOffer({
      run: {
        command: [
          '/bin/sh',
          join(FIXTURES, 'prints-lines.sh'),
          String(count),
          pauseSeconds,
          String(code),
          join(stateDir, 'witness'),
        ],
      },
    });
  const logOf = (line: DriverLine): string =>
    readText(join(stateDir, 'attempts', line.executionId ?? line.view?.executionId ?? '', 'out.log'));
  const recovered = (one: Driver): DriverLine[] => one.lines.filter((line) => line.kind === 'recovered');

  it('finds its job running, waits for it and reports its exit and its whole log', async () => {
    // Long enough for the next agent to find it running, also where a program takes seconds to start.
    const offer = lines(40, '0.1', 9);
    const first = start([offer]);
    const accepted = await first.says('accepted', (line) => line.kind === 'accepted');
    // That it runs is said when its process was told; until that one was quick enough a next agent may still forbid it.
    await eventually('the job runs', () => logOf(accepted) || null);
    await first.kill();

    const second = start([]);
    const found = await second.says('recovered', (line) => line.kind === 'recovered');
    expect([found.recovered, found.view?.phase, found.view?.ref]).toEqual([
      'adopted',
      'running',
      { attemptId: offer.attemptId, epoch: 1 },
    ]);
    const ended = await second.ended(offer.attemptId);
    expect(ended.end).toMatchObject({ outcome: 'failed', exit: { code: 9, signal: null } });
    expect(ended.end?.ranMs).toBeGreaterThan(3_900);
    expect(logOf(ended).trim().split('\n')).toHaveLength(40);
  });

  it('adopts a job whose supervisor is from before starts were prepared', async () => {
    const offer = lines(40, '0.1', 9);
    const first = start([offer]);
    const accepted = await first.says('accepted', (line) => line.kind === 'accepted');
    const directory = new AttemptDirectory(join(stateDir, 'attempts', accepted.executionId ?? ''));
    await eventually('the job runs', () => logOf(accepted) || null);
    await first.kill();
    const ident = readFileSync(directory.file('ident'), 'latin1');
    writeFileSync(directory.file('ident'), ident.replace(/ \S+ \.\n$/, ' .\n'));

    const second = start([]);
    const found = await second.says('recovered', (line) => line.kind === 'recovered');
    expect([found.recovered, found.view?.phase]).toEqual(['adopted', 'running']);
    const ended = await second.ended(offer.attemptId);
    expect(ended.end).toMatchObject({ outcome: 'failed', exit: { code: 9, signal: null } });
    expect(logOf(ended).trim().split('\n')).toHaveLength(40);
  });

  it('finds what ended meanwhile, with exit, signal and result', async () => {
    const withResult = anOffer({ run: { shell: 'sleep 0.3; echo "[1]" >"$MUSTER_RESULT"; echo done' } });
    const killed = anOffer({ run: { shell: 'sleep 0.3; kill -KILL $$' } });
    const first = start([withResult, killed]);
    await first.says('all started', (line) => line.kind === 'allStarted');
    await first.kill();
    await eventually('both ends are on disk', () => {
      const folders = readdirSync(join(stateDir, 'attempts'));
      return folders.every((name) => new AttemptDirectory(join(stateDir, 'attempts', name)).readStatus()) ? true : null;
    });

    const second = start([]);
    await second.ready();
    const ends = new Map(recovered(second).map((line) => [line.view?.ref.attemptId, line.view?.end]));
    expect(ends.get(withResult.attemptId)).toMatchObject({ outcome: 'succeeded', result: [1] });
    expect(ends.get(killed.attemptId)).toMatchObject({ outcome: 'failed', exit: { signal: 'SIGKILL' } });
    await second.kill();

    const third = start([]);
    await third.ready();
    expect(recovered(third).map((line) => line.recovered)).toEqual(['ended', 'ended']);
    expect(third.lines.filter((line) => line.kind === 'ended')).toEqual([]);
  });

  it('never starts, and says so, what it had only written down', async () => {
    const accepted = lines(1, '0', 0);
    await start([accepted], { MUSTER_CRASH_AT: 'afterIntent' }).dies();
    const second = start([]);
    await second.ready();
    expect(recovered(second)).toMatchObject([
      { recovered: 'neverStarted', ref: { attemptId: accepted.attemptId, epoch: 1 } },
    ]);
    await second.kill();

    const prepared = lines(1, '0', 0);
    await start([prepared], { MUSTER_CRASH_AT: 'beforeSpawn' }).dies();
    const fourth = start([]);
    await fourth.ready();
    expect(recovered(fourth)).toMatchObject([
      { recovered: 'neverStarted', ref: { attemptId: prepared.attemptId } },
    ]);
    expect(readdirSync(join(stateDir, 'attempts'))).toEqual([]);
    expect(readText(join(stateDir, 'witness'))).toBe('');
  });

  it('loses nothing at any of its crash points', async () => {
    for (const point of ['afterSpawn', 'afterExitSeen', 'afterExitRecorded']) {
      stateDir = aStateDir();
      const offer = lines(3, '0.02', 6);
      await start([offer], { MUSTER_CRASH_AT: point }).dies();
      const second = start([]);
      await second.ready();
      const found = recovered(second).find((line) => (line.view?.ref ?? line.ref)?.attemptId === offer.attemptId);
      const starts = readText(join(stateDir, 'witness'))
        .split('\n')
        .filter((line) => line === offer.attemptId).length;
      if (found?.recovered === 'neverStarted') expect(starts).toBe(0);
      else {
        const ended = found?.recovered === 'adopted' ? await second.ended(offer.attemptId) : found;
        expect([point, ended?.end?.exit ?? ended?.view?.end?.exit]).toEqual([point, { code: 6, signal: null }]);
        expect(
          logOf(ended ?? { kind: 'ended' })
            .trim()
            .split('\n'),
        ).toHaveLength(3);
      }
      await second.kill();
      removeStateDir(stateDir);
    }
  });

  it('goes on with a stop that was under way, and remembers why', async () => {
    const offer = anOffer({
      run: { command: ['/bin/sh', join(FIXTURES, 'ignores-sigterm.sh')] },
      limits: { runSeconds: 1 },
      graceSeconds: 2,
    });
    await start([offer], { MUSTER_CRASH_AT: 'afterStopRecorded' }).dies();

    const ended = await start([]).ended(offer.attemptId);
    expect(ended.end).toMatchObject({ outcome: 'timedOut', detail: 'It ran longer than its limit of 1 s.' });
    expect(ended.end?.exit?.signal).toBe('SIGKILL');
  });

  it('reports what a killed supervisor knew as lost, and leaves no process of it', async () => {
    const mark = `lost-${process.pid}-${Date.now()}`;
    const offer = anOffer({ run: { command: ['/bin/sh', '-c', 'while :; do sleep 1; done', mark] } });
    const first = start([offer]);
    const accepted = await first.says('accepted', (line) => line.kind === 'accepted');
    const directory = new AttemptDirectory(join(stateDir, 'attempts', accepted.executionId ?? ''));
    const supervisor = await eventually('the job is identified', () =>
      directory.readIdent().job ? directory.readIdent().supervisor : null,
    );
    process.kill(supervisor.pid, 'SIGKILL');

    const ended = await first.ended(offer.attemptId);
    expect(ended.end).toMatchObject({ outcome: 'lost', exit: null });
    expect(ended.end?.detail).toMatch('supervisor died');
    expect(await pidsOf(mark)).toEqual([]);
  });

  it('reports a supervisor that died while no agent was there as lost', async () => {
    const mark = `orphan-${process.pid}-${Date.now()}`;
    const offer = anOffer({ run: { command: ['/bin/sh', '-c', 'while :; do sleep 1; done', mark] } });
    const first = start([offer]);
    const accepted = await first.says('accepted', (line) => line.kind === 'accepted');
    const directory = new AttemptDirectory(join(stateDir, 'attempts', accepted.executionId ?? ''));
    const supervisor = await eventually('the job is identified', () =>
      directory.readIdent().job ? directory.readIdent().supervisor : null,
    );
    await first.kill();
    process.kill(supervisor.pid, 'SIGKILL');
    await eventually('the supervisor is gone', () => (isAlive(supervisor) ? null : true));

    const second = start([]);
    await second.ready();
    expect(recovered(second)).toMatchObject([{ recovered: 'ended', view: { end: { outcome: 'lost', exit: null } } }]);
    expect(await pidsOf(mark)).toEqual([]);
  });

  it('reports what ran before a restart of the machine as lost, and touches nobody who has its pid now', async () => {
    const offer = lines(600, '0.1', 0);
    const first = start([offer]);
    const accepted = await first.says('accepted', (line) => line.kind === 'accepted');
    const directory = new AttemptDirectory(join(stateDir, 'attempts', accepted.executionId ?? ''));
    await eventually('the job is identified', () => directory.readIdent().job);
    await first.kill();
    const ident = readFileSync(directory.file('ident'), 'latin1');
    writeFileSync(directory.file('ident'), ident.replace(readBootId(), '00000000-0000-0000-0000-000000000000'));

    const second = start([]);
    await second.ready();
    expect(recovered(second)).toMatchObject([
      { recovered: 'ended', view: { end: { outcome: 'lost', detail: 'The machine was restarted while it ran.' } } },
    ]);
    const job = directory.readIdent().job;
    expect(job && isAlive(job)).toBe(true);
    if (job) process.kill(-job.pid, 'SIGKILL');
  });

  it('leaves a slot taken whose processes an earlier agent could not kill, until they are gone', async () => {
    const offer = lines(6_000, '0.1', 0);
    const first = start([offer]);
    const accepted = await first.says('accepted', (line) => line.kind === 'accepted');
    const directory = new AttemptDirectory(join(stateDir, 'attempts', accepted.executionId ?? ''));
    const job = await eventually('the job is identified', () => directory.readIdent().job);
    await first.kill();
    const usage = { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null };
    const end = {
      outcome: 'unkillable',
      exit: null,
      detail: null,
      usage,
      leftovers: 0,
      containment: 'group',
      ranMs: null,
    };
    writeFileSync(directory.file('end'), JSON.stringify(end));

    // Told of, acknowledged and forgotten: the slot stays taken, also in the agent after that.
    for (let life = 0; life < 2; life++) {
      const harness = await ManagerHarness.open({ stateDir });
      try {
        expect(await harness.manager.recover()).toMatchObject([
          { kind: 'ended', view: { end: { outcome: 'unkillable' } } },
        ]);
        expect(harness.manager.slots()).toEqual({ total: 2, free: 1, quarantined: 1 });
        await harness.manager.discard(accepted.executionId as ExecutionId);
        expect(harness.manager.slots()).toEqual({ total: 2, free: 1, quarantined: 1 });
        if (life === 0) continue;
        process.kill(-job.pid, 'SIGKILL');
        await eventually('the slot is free again', () => (harness.manager.slots().free === 2 ? true : null));
        await eventually('its directory is gone', () => (existsSync(directory.path) ? null : true));
      } finally {
        await harness.manager.close();
      }
    }
  });

  it('removes what holds no whole intent', async () => {
    const first = start([]);
    await first.ready();
    await first.kill();
    const torn = new AttemptDirectory(join(stateDir, 'attempts', 'exe-torn'));
    mkdirSync(torn.path);
    writeFileSync(torn.file('intent'), '{"version":1,"ref":{"attem');

    const second = start([]);
    await second.ready();
    expect([recovered(second), existsSync(torn.path)]).toEqual([[], false]);
  });

  it('starts nothing twice and reports nothing wrong in 50 kills at random moments', async () => {
    const codes = new Map<string, { code: number; lines: number }>();
    const neverStarted = new Set<string>();
    for (let round = 0; round < 50; round++) {
      const offers = [0, 1, 2].map((index) => {
        const [count, code] = [(round + index) % 5, (round * 3 + index) % 100];
        const offer = lines(count, index === 2 ? '0.03' : '0.005', code);
        codes.set(offer.attemptId, { code, lines: count });
        return offer;
      });
      const one = start(offers);
      // Every other kill falls while jobs run, the rest wherever the starting has come to by then.
      if (round % 2 === 0) await one.says('that it started', ({ kind }) => kind === 'running' || kind === 'allStarted');
      else await one.ready();
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 80));
      await one.kill();
      for (const line of recovered(one)) if (line.ref) neverStarted.add(line.ref.attemptId);
    }
    const last = start([]);
    await last.ready();
    const ends = new Map<string, DriverLine>();
    for (const line of recovered(last)) {
      if (line.ref) neverStarted.add(line.ref.attemptId);
      else
        ends.set(
          line.view?.ref.attemptId ?? '',
          line.recovered === 'adopted' ? await last.ended(line.view?.ref.attemptId ?? '') : line,
        );
    }

    const starts = readText(join(stateDir, 'witness')).trim().split('\n');
    expect(new Set(starts).size).toBe(starts.length);
    expect(starts.filter((attemptId) => neverStarted.has(attemptId) || !ends.has(attemptId))).toEqual([]);
    for (const [attemptId, line] of ends) {
      const expected = codes.get(attemptId);
      expect([attemptId, (line.end ?? line.view?.end)?.exit]).toEqual([
        attemptId,
        { code: expected?.code, signal: null },
      ]);
      expect([attemptId, logOf(line).split('\n').length - 1]).toEqual([attemptId, expected?.lines]);
    }
    expect(ends.size).toBeGreaterThan(20);
  });
});

/** Kills what tests left running, by the identity in the directories. */
async function endAll(stateDir: string): Promise<void> {
  if (!existsSync(stateDir)) return;
  for (const name of readdirSync(join(stateDir, 'attempts'), { withFileTypes: true })) {
    const { job } = new AttemptDirectory(join(stateDir, 'attempts', name.name)).readIdent();
    if (!job || !isAlive(job)) continue;
    process.kill(-job.pid, 'SIGKILL');
    await eventually('a left-over job is gone', () => (isAlive(job) ? null : true));
  }
}
