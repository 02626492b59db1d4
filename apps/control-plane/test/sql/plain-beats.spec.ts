import { serverStep, toJobSpec, type AttemptFacts, type BeatCommand, type JobFacts, type ServerContext, type Slice, type WorkerFacts } from '@muster/domain';
import { JOB_REASONS, leaseMs, type AttemptId, type JobId, type WorkerId } from '@muster/protocol';
import type { FreshDatabase } from '@muster/testing';
import { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import { mayBePlain, renewPlain } from '../../src/engine/beats/plain-beats.js';
import { LaneKeeper } from '../../src/jobs/lane-keeper.js';
import { insertKey } from '../../src/keys/keys.service.js';
import { log, testDatabase } from '../control-plane-harness.js';
import { Chance } from './chance.js';
import { aProfile, plainFacts, putFacts, readFacts, sliceOf } from './stored-facts.js';
import { CLOCK_SET, installVirtualClock } from './virtual-clock.js';

const NOW_MS = 1_700_000_000_000;
const WORKERS = 700;
const CONTEXT: ServerContext = { nowMs: NOW_MS, workerTimeoutMs: 60_000, beatIntervalMs: 10_000, offerTtlMs: 15_000, newAttemptIds: ['att_zz' as AttemptId], jitter: 0.5 };
const FENCE = sql`update worker set is_fenced = true where id = any($1::text[])`;

/** A worker with the jobs it holds, and what it says: made so that its beat only renews, before something is made odd. */
interface Scene {
  worker: WorkerFacts;
  jobs: JobFacts[];
  attempts: AttemptFacts[];
  command: BeatCommand;
}

function sceneOf(index: number, held: number): Scene {
  const id = `wkr_${String(index).padStart(5, '0')}` as WorkerId;
  const spec = toJobSpec({ run: { command: ['true'] } }, 60_000);
  if (!spec.ok) throw new Error(JSON.stringify(spec.errors));
  const numbers = Array.from({ length: held }, (_, number) => `${index}_${number}`);
  const attempts = numbers.map((number): AttemptFacts => ({
    id: `att_${number}` as AttemptId, jobId: `job_${number}` as JobId, workerId: id, number: 1, epoch: 2, state: 'running', outcome: null, exit: null,
    detail: null, gpus: [], leaseUntilMs: NOW_MS + 1_000, offeredMs: NOW_MS - 9_000, startedMs: NOW_MS - 8_000, endedMs: null, containment: null,
    usage: null, leftovers: 0, logId: `att_${number}` as AttemptId, proofs: {}, grantedSession: 3,
  }));
  return {
    worker: {
      id, name: id, owner: 'team', session: 3, instanceId: '0000000002-a', slots: 4, slotsUsable: 4, gpusHeld: [], slotsOrdered: null, slotsSaid: null, isPaused: false, maintenance: null, link: 'connected',
      lastBeatMs: NOW_MS - 9_000, isFenced: false, isRemoved: false,
    },
    attempts,
    jobs: attempts.map((attempt) => ({
      id: attempt.jobId, owner: 'ada', spec: spec.spec, status: 'running', desired: 'run', force: false, reason: 'running', reasonDetail: null, priority: 0,
      epoch: 2, attemptCount: 1, currentAttemptId: attempt.id, failures: 0, losses: 0, refusals: 0, lossesWhileRunning: 0, notBeforeMs: null,
      queueUntilMs: null, createdMs: NOW_MS - 90_000, startedMs: NOW_MS - 8_000, finishedMs: null, exit: null,
    })),
    command: {
      type: 'beat', workerId: id, session: 3, isPaused: false, slotsFree: 4 - held, gpusHeld: [],
      executions: attempts.map(({ id: attemptId, epoch }) => ({ attemptId, epoch, state: 'running' })),
    },
  };
}

type Spoil = (scene: Scene, chance: Chance) => void;

const ofWorker = (facts: (chance: Chance) => Partial<WorkerFacts>): Spoil => (scene, chance) => (scene.worker = { ...scene.worker, ...facts(chance) });
const ofCommand = (facts: (chance: Chance, scene: Scene) => Partial<BeatCommand>): Spoil => (scene, chance) => (scene.command = { ...scene.command, ...facts(chance, scene) });
const ofAttempt = (facts: (chance: Chance) => Partial<AttemptFacts>): Spoil => (scene, chance) => (scene.attempts = scene.attempts.map((attempt) => (attempt.state === 'ended' ? attempt : { ...attempt, ...facts(chance) })));
const ofJob = (facts: (chance: Chance, job: JobFacts) => Partial<JobFacts>): Spoil => (scene, chance) => (scene.jobs = scene.jobs.map((job) => ({ ...job, ...facts(chance, job) })));
const withPolicy = (policy: Partial<JobFacts['spec']['disconnect']>): Spoil =>
  ofJob((_, { spec }) => ({ spec: { ...spec, disconnect: { ...spec.disconnect, ...policy } } }));

const ORDERED = { reason: null, by: 'ada', startedMs: NOW_MS - 60_000 } as const;

/** Everything a decision about a beat looks at. */
const SPOILS: readonly Spoil[] = [
  ofWorker((chance) => ({ link: chance.pick(['suspect', 'unreachable']) })),
  ofWorker(() => ({ isPaused: true })),
  ofWorker((chance) => ({ slotsUsable: chance.whole(0, 4) })),
  ofWorker((chance) => ({ slots: chance.whole(0, 5) })),
  ofWorker((chance) => ({ gpusHeld: chance.pick([[1], [1, 2]]) })),
  ofWorker(() => ({ isFenced: true })),
  ofWorker(() => ({ isRemoved: true })),
  ofWorker(() => ({ lastBeatMs: null })),
  ofWorker(() => ({ maintenance: { kind: 'cordon', ...ORDERED } })),
  ofWorker((chance) => ({
    maintenance: {
      kind: 'drain', ...ORDERED, policy: chance.pick(['wait', 'checkpoint', 'requeue']), deadlineMs: NOW_MS - 1, isOverdue: chance.isTrue(0.5), jobsAtStart: 1,
      drainedMs: null,
    },
  })),
  ofWorker((chance) => ({ session: chance.pick([2, 4]) })),
  ofCommand((chance) => ({ session: chance.pick([2, 4]) })),
  ofCommand(() => ({ isPaused: true })),
  ofCommand((chance) => ({ slotsFree: chance.whole(0, 6) })),
  ofCommand((chance) => ({ gpusHeld: chance.pick([[1], [2, 1], [1, 1]]) })),
  ofCommand((chance, { command }) => ({ executions: command.executions.map((one) => ({ ...one, epoch: one.epoch + chance.pick([-1, 1]) })) })),
  ofCommand((_, { command }) => ({ executions: [...command.executions, { attemptId: 'att_unknown' as AttemptId, epoch: 1, state: 'running' }] })),
  ofCommand((_, { command }) => ({ executions: [...command.executions, { attemptId: 'att_0_0' as AttemptId, epoch: 2, state: 'running' }] })),
  ofCommand((_, { command }) => ({ executions: command.executions.slice(1), slotsFree: command.slotsFree + 1 })),
  (scene) => {
    scene.worker = { ...scene.worker, gpusHeld: [1, 2] };
    scene.command = { ...scene.command, gpusHeld: [2, 1, 2] };
  },
  ofAttempt((chance) => ({ state: chance.pick(['offered', 'paused', 'finalizing']) })),
  ofAttempt((chance) => ({ leaseUntilMs: chance.pick([NOW_MS - 1, NOW_MS, NOW_MS + 1, null]) })),
  ofAttempt((chance) => ({ grantedSession: chance.pick([null, 2, 4]) })),
  ofAttempt((chance) => ({ epoch: chance.pick([1, 3]) })),
  ofAttempt(() => ({ state: 'ended', outcome: 'lost', endedMs: NOW_MS - 1, leaseUntilMs: null })),
  ofJob((chance) => ({ desired: chance.pick(['pause', 'cancel']) })),
  ofJob((chance) => ({ reason: chance.pick(JOB_REASONS), reasonDetail: 'as it was' })),
  ofJob((chance) => ({ status: chance.pick(['assigned', 'paused']) })),
  withPolicy({ onWorkerLost: 'wait' }),
  withPolicy({ exclusive: true, lostAfterSeconds: 7 }),
  // Granted again to go on with the same process, and the answer that said so was lost.
  (scene) => {
    scene.jobs = scene.jobs.map((job) => ({ ...job, attemptCount: 2, epoch: 9, currentAttemptId: `${job.currentAttemptId}b` as AttemptId }));
    scene.attempts = scene.attempts.flatMap((attempt) => [
      { ...attempt, state: 'ended', outcome: 'lost', endedMs: NOW_MS - 1, leaseUntilMs: null },
      { ...attempt, id: `${attempt.id}b` as AttemptId, number: 2, epoch: 9 },
    ]);
  },
  // No product ever stored that: a newer attempt has ended and the older has not.
  (scene) => {
    scene.jobs = scene.jobs.map((job) => ({ ...job, attemptCount: 2, epoch: 9 }));
    scene.attempts = scene.attempts.flatMap((attempt) => [
      attempt,
      { ...attempt, id: `${attempt.id}c` as AttemptId, number: 2, epoch: 10, state: 'ended', outcome: 'failed', endedMs: NOW_MS - 1, leaseUntilMs: null },
    ]);
  },
];

describe('beats that only renew', () => {
  let fresh: FreshDatabase;
  let database: Database;
  beforeAll(async () => {
    fresh = await testDatabase();
    await installVirtualClock(fresh.url);
    database = new Database(fresh.url, log);
  });
  afterAll(async () => {
    await database?.end();
    await fresh?.drop();
  });

  async function put(rows: Slice): Promise<void> {
    const key = await database.transaction((connection) => insertKey(connection, { name: 'workers', role: 'worker', owner: 'team' }, 'test'));
    await database.transaction((connection) => putFacts(connection, rows, { keyId: key.id, lanes: new LaneKeeper(), profileOf: aProfile }));
    await database.execute(FENCE, [[...rows.workers.values()].filter(({ isFenced }) => isFenced).map(({ id }) => id)]);
  }

  it('are told from all others as the reducer tells them, and answered and stored as it would, by one statement', async () => {
    const chance = new Chance(7);
    const scenes = Array.from({ length: WORKERS }, (_, index) => {
      const scene = sceneOf(index, chance.whole(0, 3));
      for (let spoils = index === 0 ? 0 : chance.pick([0, 1, 1, 2]); spoils > 0; spoils -= 1) chance.pick(SPOILS)(scene, chance);
      return scene;
    });
    const before = sliceOf(scenes.flatMap(({ jobs }) => jobs), scenes.flatMap(({ attempts }) => attempts), scenes.map(({ worker }) => worker));
    await put(before);
    const beats = scenes.map(({ command }) => command).filter(mayBePlain);
    const replies = await database.lane('renewals').transaction(async (connection) => {
      await connection.query(CLOCK_SET, [String(NOW_MS)]);
      return renewPlain(connection, beats, CONTEXT.workerTimeoutMs);
    });

    const expected = sliceOf([...before.jobs.values()], [...before.attempts.values()], [...before.workers.values()]);
    const workers = new Map(expected.workers);
    const attempts = new Map(expected.attempts);
    const decisions = beats.map((command) => serverStep(before, command, CONTEXT));
    const isPlain = decisions.map((decision, index) => {
        const isQuiet = decision.jobs.length + decision.events.length + decision.notices.length + decision.systemLines.length === 0;
      const onlyRenews = decision.attempts.every((row) => isSameBut(row, before.attempts.get(row.id), 'leaseUntilMs') && row.state === 'running');
      const onlyHears = decision.workers.every((row) => isSameBut(row, before.workers.get(row.id), 'lastBeatMs'));
      const isKept = 'verdicts' in decision.reply && decision.reply.verdicts.every((verdict) => verdict.kind === 'keep' && verdict.command === null);
      const isNamed = decision.attempts.length === (beats[index]?.executions.length ?? 0);
      // A drain asks of each job whether it must leave: decided one by one, while it lasts.
      const isDrained = decision.workers.some(({ maintenance }) => maintenance?.kind === 'drain');
      return !isDrained && isQuiet && onlyRenews && onlyHears && isKept && isNamed;
    });
    expect(replies.map((reply, index) => reply ?? (isPlain[index] ? 'left to the reducer' : 'rightly left to the reducer'))).toEqual(
      decisions.map((decision, index) => (isPlain[index] ? decision.reply : 'rightly left to the reducer')),
    );
    decisions.forEach((decision, index) => {
      if (!isPlain[index]) return;
      for (const row of decision.workers) workers.set(row.id, row);
      for (const row of decision.attempts) attempts.set(row.id, row);
    });
    expect(plainFacts(await readFacts(database))).toEqual(plainFacts({ ...expected, workers, attempts }));
    const plain = isPlain.filter(Boolean).length;
    expect([plain > WORKERS / 5, beats.length - plain > WORKERS / 5]).toEqual([true, true]);
  });

  it('never take back what was granted while they waited for a lock, unless by a clock that was set back', async () => {
    const [granted, endless, ahead] = [sceneOf(WORKERS, 1), sceneOf(WORKERS + 1, 1), sceneOf(WORKERS + 2, 1)];
    const [lengthMs] = granted.jobs.map((job) => leaseMs(CONTEXT.workerTimeoutMs, job.spec.disconnect.lostAfterSeconds));
    if (lengthMs === undefined) throw new Error('The worker holds no job.');
    grantedLater(granted, 4_000, lengthMs);
    grantedLater(ahead, 3_600_000, lengthMs);
    withPolicy({ onWorkerLost: 'wait' })(endless, new Chance(1));
    endless.attempts = endless.attempts.map((attempt) => ({ ...attempt, leaseUntilMs: null }));
    const scenes = [granted, endless, ahead];
    await put(sliceOf(scenes.flatMap(({ jobs }) => jobs), scenes.flatMap(({ attempts }) => attempts), scenes.map(({ worker }) => worker)));
    const replies = await database.lane('renewals').transaction(async (connection) => {
      await connection.query(CLOCK_SET, [String(NOW_MS)]);
      return renewPlain(connection, scenes.map(({ command }) => command), CONTEXT.workerTimeoutMs);
    });
    expect(replies).toMatchObject([{ kind: 'beat' }, { kind: 'beat' }, { kind: 'beat' }]);
    const { workers, attempts } = await readFacts(database);
    expect(scenes.map(({ worker }) => workers.get(worker.id)?.lastBeatMs)).toEqual([NOW_MS + 4_000, NOW_MS, NOW_MS]);
    const leases = scenes.map(({ attempts: [attempt] }) => attempts.get(attempt?.id ?? ('' as AttemptId))?.leaseUntilMs);
    expect(leases).toEqual([NOW_MS + 4_000 + lengthMs, null, NOW_MS + lengthMs]);
  });

  it('of one worker that come together are left to the reducer', async () => {
    const { command } = sceneOf(0, 0);
    expect(await renewPlain(database.lane('renewals'), [command, command], 60_000)).toEqual([undefined, undefined]);
  });
});

function isSameBut<Row extends object>(row: Row, before: Row | undefined, name: keyof Row): boolean {
  return JSON.stringify({ ...row, [name]: null }) === JSON.stringify({ ...before, [name]: null });
}

/** Its worker was heard that much later than the moment by which the beats are judged. */
function grantedLater(scene: Scene, laterMs: number, lengthMs: number): void {
  scene.worker = { ...scene.worker, lastBeatMs: NOW_MS + laterMs };
  scene.attempts = scene.attempts.map((attempt) => ({ ...attempt, leaseUntilMs: NOW_MS + laterMs + lengthMs }));
}
