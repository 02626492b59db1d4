import { ATTEMPT_TRANSITIONS, JOB_TRANSITIONS, WORKER_LINK_TRANSITIONS, isDue, isFinalJob, isLive, takesOffers, toJobSpec } from '@muster/domain';
import type { AttemptFacts, JobFacts, Maintenance, Slice, WorkerFacts } from '@muster/domain';
import { ATTEMPT_STATES, DESIRED_STATES, JOB_STATUSES, WORKER_LINKS } from '@muster/protocol';
import type { AttemptId, AttemptState, JobId, JobStatus, WorkerId } from '@muster/protocol';
import type { FreshDatabase } from '@muster/testing';
import { GuardFailed } from '../../src/database/database-errors.js';
import { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import { BACKOFFS_END, CLAIM_LIVE_ATTEMPTS, CLAIM_WORKERS } from '../../src/dispatch/dispatch.sql.js';
import { LaneBook } from '../../src/dispatch/lane-book.js';
import { takeTurn } from '../../src/dispatch/turn.js';
import { storeSlice } from '../../src/engine/store-slice.js';
import { LaneKeeper } from '../../src/jobs/lane-keeper.js';
import { insertKey } from '../../src/keys/keys.service.js';
import { LEASES_EXTEND } from '../../src/replicas/replica-marks.sql.js';
import { LEASES_OVER, QUEUE_LIMITS_PASSED } from '../../src/workers/sweep.sql.js';
import { log, testDatabase } from '../control-plane-harness.js';
import { REPLICA, aProfile, clearFacts, putFacts, readFacts, sliceOf, type Putter } from './stored-facts.js';
import { columnsSet, tablesWritten, writtenStatements } from './written-statements.js';

jest.setTimeout(120_000);

const JOB = 'job_1' as JobId;
const ATTEMPT = 'att_1' as AttemptId;
const WORKER = 'wkr_1' as WorkerId;
const AT_MS = 1_700_000_000_000;
const CORDON: Maintenance = { kind: 'cordon', reason: null, by: 'olga', startedMs: AT_MS };
const DRAIN: Maintenance = { ...CORDON, kind: 'drain', policy: 'wait', deadlineMs: null, isOverdue: false, jobsAtStart: 0, drainedMs: null };
const FENCE = sql`update worker set is_fenced = true where id = any($1::text[])`;

/** Every statement that writes jobs, attempts or workers. Whoever adds one says here what it may do, and tests it if it moves anything. */
const WRITERS: Record<string, 'moves' | 'makes' | 'keeps' | 'removes'> = {
  ROWS_STORE: 'moves',
  BEATS_RENEW: 'keeps',
  JOBS_ADD: 'makes',
  ATTEMPTS_ADD: 'makes',
  JOBS_REMOVE: 'removes',
  WORKER_REGISTER: 'makes',
  RESULTS_STORE: 'keeps',
  BACKOFFS_END: 'keeps',
  LEASES_EXTEND: 'keeps',
  PROGRESS_STORE: 'keeps',
  WORKER_SAMPLES_STORE: 'keeps',
  WORKER_REFRESH: 'keeps',
  WORKER_WORDS_STORE: 'keeps',
  FOREIGN_STORE: 'keeps',
  FOREIGN_REPORT: 'keeps',
  WORKER_UNBIND: 'keeps',
  WORKER_ATTACH: 'keeps',
  WORKERS_ATTACH: 'keeps',
  WORKER_DETACH: 'keeps',
  WORKERS_FENCE: 'keeps',
};
/** Columns that say where something stands; only what `moves` sets them. */
const STANDING = [
  'job.status', 'job.desired', 'job.force', 'job.reason', 'job.epoch', 'job.current_attempt_id', 'job.attempt_count', 'job.finished_at',
  'attempt.state', 'attempt.outcome', 'attempt.epoch', 'attempt.ended_at', 'worker.session', 'worker.instance_id', 'worker.link',
  'worker.removed_at', 'worker.maintenance', 'worker.slots', 'worker.slots_ordered', 'worker.slots_said',
];

function aJob(status: JobStatus, facts: Partial<JobFacts> = {}): JobFacts {
  const result = toJobSpec({ run: { command: ['true'] } }, 60_000);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  const isHeld = status === 'assigned' || status === 'running';
  return {
    id: JOB, owner: 'ada', spec: result.spec, status, desired: 'run', force: false, reason: 'waiting', reasonDetail: null, priority: 0, epoch: 3,
    attemptCount: 3, currentAttemptId: isHeld ? ATTEMPT : null, failures: 0, losses: 0, refusals: 0, lossesWhileRunning: 0, notBeforeMs: null,
    queueUntilMs: null, createdMs: AT_MS, startedMs: null, finishedMs: isFinalJob(status) ? AT_MS : null, exit: null, ...facts,
  };
}

function anAttempt(state: AttemptState, facts: Partial<AttemptFacts> = {}): AttemptFacts {
  const isOver = state === 'ended';
  return {
    id: ATTEMPT, jobId: JOB, workerId: WORKER, number: 3, epoch: 3, state, outcome: isOver ? 'lost' : null, exit: null, detail: null, gpus: [],
    leaseUntilMs: isOver ? null : AT_MS, offeredMs: AT_MS, startedMs: null, endedMs: isOver ? AT_MS : null, containment: null, usage: null,
    leftovers: 0, logId: ATTEMPT, proofs: {}, grantedSession: null, ...facts,
  };
}

function aWorker(facts: Partial<WorkerFacts> = {}): WorkerFacts {
  return {
    id: WORKER, name: 'anvil', owner: 'workers', session: 2, instanceId: '0000000001-a', slots: 2, slotsUsable: 2, gpusHeld: [], slotsOrdered: null, slotsSaid: null, isPaused: false, maintenance: null,
    link: 'connected', lastBeatMs: AT_MS, isFenced: false, isRemoved: false, ...facts,
  };
}

/** What legal moves lead to from here, one after the other: a batch stores where its last command left a row. */
function reachable(table: Readonly<Record<string, object>>, from: string): Set<string> {
  const found = new Set(Object.keys(table[from] ?? {}));
  for (const state of found) for (const next of Object.keys(table[state] ?? {})) found.add(next);
  return found;
}

let fresh: FreshDatabase;
let database: Database;
let putter: Putter;
beforeAll(async () => {
  fresh = await testDatabase();
  database = new Database(fresh.url, log);
  const key = await database.transaction((connection) => insertKey(connection, { name: 'workers', role: 'worker', owner: 'workers' }, 'test'));
  putter = { keyId: key.id, lanes: new LaneKeeper(), profileOf: aProfile };
});
afterAll(async () => {
  await database?.end();
  await fresh?.drop();
});

async function put(rows: Slice): Promise<void> {
  await clearFacts(database);
  await database.transaction((connection) => putFacts(connection, rows, putter));
}

/** Stores a decision that was made from `loaded`, whatever stands in the table. */
async function isStored(loaded: Slice, decided: Slice): Promise<boolean> {
  try {
    await database.transaction(async (transaction) => storeSlice(transaction, { loaded, decided, decisions: [], nowMs: AT_MS }));
    return true;
  } catch (error) {
    if (error instanceof GuardFailed) return false;
    throw error;
  }
}

const jobs = (...rows: JobFacts[]): Slice => sliceOf(rows, [], []);
const attempts = (...rows: AttemptFacts[]): Slice => sliceOf([], rows, []);
const workers = (...rows: WorkerFacts[]): Slice => sliceOf([], [], rows);

describe('statements that write jobs, attempts or workers', () => {
  const statements = writtenStatements();

  it('are all known here', () => {
    expect(statements.length).toBeGreaterThan(60);
    const writing = statements.filter((statement) => tablesWritten(statement).length > 0);
    expect(writing.map(({ name }) => name).sort()).toEqual(Object.keys(WRITERS).sort());
  });

  it('leave where things stand as it is, unless moving is what they are for', () => {
    const keeping = statements.filter(({ name }) => WRITERS[name] === 'keeps');
    for (const statement of keeping) expect(columnsSet(statement).length).toBeGreaterThan(0);
    expect(keeping.flatMap((statement) => columnsSet(statement).filter((column) => STANDING.includes(column)).map((column) => `${statement.name}: ${column}`))).toEqual([]);
    const moving = statements.filter(({ name }) => WRITERS[name] === 'moves').flatMap(columnsSet);
    expect(moving).toEqual(expect.arrayContaining(['job.status', 'attempt.state', 'worker.session', 'worker.link']));
  });
});

describe('the guard on jobs', () => {
  it.each(JOB_STATUSES.flatMap((from) => JOB_STATUSES.map((to) => [from, to] as const)))('decides %s to %s as the transition table does', async (from, to) => {
    const before = aJob(from);
    const after = aJob(to, { reason: 'backoff' });
    await put(jobs(before));
    const mayMove = from === to ? !isFinalJob(from) : reachable(JOB_TRANSITIONS, from).has(to);
    expect(await isStored(jobs(before), jobs(after))).toBe(mayMove);
    expect((await readFacts(database)).jobs.get(JOB)).toEqual(mayMove ? after : before);
  });

  it.each(JOB_STATUSES.filter((status) => !isFinalJob(status)))('refuses what was decided from another epoch or status than %s, and an epoch that falls', async (status) => {
    const stored = aJob(status);
    await put(jobs(stored));
    const after = aJob('cancelled');
    for (const epoch of [2, 4]) expect(await isStored(jobs({ ...stored, epoch }), jobs({ ...after, epoch: 4 }))).toBe(false);
    for (const other of JOB_STATUSES.filter((one) => one !== status)) expect(await isStored(jobs(aJob(other)), jobs(after))).toBe(false);
    expect(await isStored(jobs(stored), jobs({ ...after, epoch: 2 }))).toBe(false);
    expect((await readFacts(database)).jobs.get(JOB)).toEqual(stored);
    expect(await isStored(jobs(stored), jobs(after))).toBe(true);
  });
});

describe('the guard on attempts', () => {
  const ofAJob = (attempt: AttemptFacts): Slice => sliceOf([aJob('paused')], [attempt], [aWorker()]);

  it.each(ATTEMPT_STATES.flatMap((from) => ATTEMPT_STATES.map((to) => [from, to] as const)))('decides %s to %s as the transition table does', async (from, to) => {
    const before = anAttempt(from);
    const after = anAttempt(to, { detail: 'decided', ...(to === 'ended' ? { outcome: 'succeeded' } : {}) });
    await put(ofAJob(before));
    const mayMove = from === to || reachable(ATTEMPT_TRANSITIONS, from).has(to);
    expect(await isStored(attempts(before), attempts(after))).toBe(mayMove);
    expect((await readFacts(database)).attempts.get(ATTEMPT)).toEqual(mayMove ? after : before);
  });

  it.each(ATTEMPT_STATES)('refuses what was decided from another epoch or state than %s', async (state) => {
    const stored = anAttempt(state);
    await put(ofAJob(stored));
    const after = anAttempt('ended');
    for (const epoch of [2, 4]) expect(await isStored(attempts({ ...stored, epoch }), attempts({ ...after, epoch }))).toBe(false);
    for (const other of ATTEMPT_STATES.filter((one) => one !== state)) expect(await isStored(attempts(anAttempt(other)), attempts(after))).toBe(false);
    expect((await readFacts(database)).attempts.get(ATTEMPT)).toEqual(stored);
  });

  it.each(ATTEMPT_STATES)('makes one that is %s exactly where the table lets one become so, and never a second live one', async (state) => {
    await put(ofAJob(anAttempt('running')));
    const second = anAttempt(state, { id: 'att_2' as AttemptId, number: 4, epoch: 4 });
    const stored = isStored(attempts(), attempts(second));
    if (isLive(second)) await expect(stored).rejects.toMatchObject({ code: '23505', constraint: 'attempt_one_live_per_job' });
    else expect(await stored).toBe(true);
    await put(sliceOf([aJob('paused')], [], [aWorker()]));
    expect(await isStored(attempts(), attempts(second))).toBe(reachable(ATTEMPT_TRANSITIONS, 'new').has(state));
    expect((await readFacts(database)).attempts.get(second.id)).toEqual(second);
  });
});

describe('the guard on workers', () => {
  it.each(WORKER_LINKS.flatMap((from) => WORKER_LINKS.map((to) => [from, to] as const)))('decides %s to %s as the transition table does', async (from, to) => {
    await put(workers(aWorker({ link: from })));
    const mayMove = from === to || reachable(WORKER_LINK_TRANSITIONS, from).has(to);
    expect(await isStored(workers(aWorker({ link: from })), workers(aWorker({ link: to, isPaused: true })))).toBe(mayMove);
  });

  it('refuses what was decided for another session, and a session that falls', async () => {
    await put(workers(aWorker()));
    for (const session of [1, 3]) expect(await isStored(workers(aWorker({ session })), workers(aWorker({ session: 4 })))).toBe(false);
    expect(await isStored(workers(aWorker()), workers(aWorker({ session: 1 })))).toBe(false);
    expect((await readFacts(database)).workers.get(WORKER)).toEqual(aWorker());
    expect(await isStored(workers(aWorker()), workers(aWorker({ session: 3 })))).toBe(true);
  });
});

describe('the guard on offers', () => {
  const ALL = sql`select id, takes_offers from worker order by id collate "C"`;
  const standings = [true, false].flatMap((isRemoved) =>
    [true, false].flatMap((isFenced) =>
      [true, false].flatMap((isPaused) => WORKER_LINKS.flatMap((link) => [null, CORDON, DRAIN].map((maintenance) => ({ isRemoved, isFenced, isPaused, link, maintenance })))),
    ),
  );

  it('lets a worker take offers exactly where the domain says so, in every way it can stand', async () => {
    const all = standings.map((standing, index) => aWorker({ id: `wkr_${String(index).padStart(3, '0')}` as WorkerId, ...standing }));
    await put(workers(...all));
    const fenced = all.filter(({ isFenced }) => isFenced).map(({ id }) => id);
    await database.execute(FENCE, [fenced]);
    expect(await database.query(ALL)).toEqual(all.map((worker) => ({ id: worker.id, takes_offers: takesOffers(worker) })));
    expect(all.filter(takesOffers)).toHaveLength(1);
    const locked = await database.query<{ id: string }>(CLAIM_WORKERS, [all.map(({ id }) => id), REPLICA, []]);
    expect(locked.map(({ id }) => id)).toEqual(all.filter(takesOffers).map(({ id }) => id));
  });

  it.each(standings.filter(({ isFenced }) => !isFenced))('refuses one to a worker of standing %j, if that takes none', async (standing) => {
    const worker = aWorker(standing);
    await put(sliceOf([aJob('queued')], [], [worker]));
    const isOffered = await isStored(sliceOf([aJob('queued')], [], []), sliceOf([aJob('assigned')], [anAttempt('offered')], []));
    expect(isOffered).toBe(takesOffers(worker));
    expect((await readFacts(database)).jobs.get(JOB)?.status).toBe(isOffered ? 'assigned' : 'queued');
  });

  it('never takes a removal back', async () => {
    await put(workers(aWorker({ isRemoved: true })));
    expect(await isStored(workers(aWorker({ isRemoved: true })), workers(aWorker({ isRemoved: false })))).toBe(true);
    expect((await readFacts(database)).workers.get(WORKER)?.isRemoved).toBe(true);
  });
});

describe('what statements pick by state', () => {
  it('is due exactly where the domain says so when it is claimed', async () => {
    const all = JOB_STATUSES.flatMap((status) =>
      DESIRED_STATES.flatMap((desired) =>
        [null, Date.now() - 60_000, Date.now() + 600_000].map((notBeforeMs, index) => {
          const id = `job_${status}_${desired}_${index}` as JobId;
          return aJob(status, { id, desired, notBeforeMs, currentAttemptId: status === 'assigned' || status === 'running' ? ATTEMPT : null });
        }),
      ),
    );
    await put(sliceOf(all, [], [aWorker({ slots: 100, slotsUsable: 100 })]));
    await database.execute(BACKOFFS_END);
    const context = { workerTimeoutMs: 60_000, beatIntervalMs: 10_000, offerTtlMs: 15_000 };
    const claimed = await database.lane('dispatch').transaction((connection) =>
      takeTurn(connection, new LaneBook(), { workerIds: [WORKER], replicaId: REPLICA, context }),
    );
    const granted = (claimed?.decision.attempts ?? []).map((attempt) => attempt.jobId).sort();
    expect(granted).toEqual(all.filter((job) => isDue(job, Date.now())).map(({ id }) => id).sort());
    expect(granted.length).toBe(2);
    const stored = await readFacts(database);
    for (const job of all.filter(({ id }) => !granted.includes(id))) {
      expect(stored.jobs.get(job.id)).toMatchObject({ status: job.status, desired: job.desired, epoch: job.epoch });
    }
  });

  it('is live exactly where the domain says so', async () => {
    const all = ATTEMPT_STATES.map((state, index) => ({
      job: aJob('paused', { id: `job_${index}` as JobId }),
      attempt: anAttempt(state, { id: `att_${index}` as AttemptId, jobId: `job_${index}` as JobId }),
    }));
    await put(sliceOf(all.map(({ job }) => job), all.map(({ attempt }) => attempt), [aWorker()]));
    const live = all.filter(({ attempt }) => isLive(attempt)).map(({ attempt }) => attempt.id);
    const idsOf = (rows: readonly { id: string }[]): string[] => rows.map(({ id }) => id).sort();
    expect(idsOf(await database.query<{ id: string }>(CLAIM_LIVE_ATTEMPTS, [[WORKER]]))).toEqual(live);
    expect(idsOf(await database.query<{ id: string }>(LEASES_OVER, [[]]))).toEqual(live);
    expect(await database.execute(LEASES_EXTEND, [5_000])).toBe(live.length);
    const stored = await readFacts(database);
    expect([...stored.attempts.values()].map((one) => one.state)).toEqual(ATTEMPT_STATES);
    expect([...stored.attempts.values()].map((one) => one.leaseUntilMs)).toEqual(all.map(({ attempt }) => (isLive(attempt) ? AT_MS + 5_000 : null)));
  });

  it('passes its queue limit only while it was never started and stands in line', async () => {
    const all = JOB_STATUSES.flatMap((status) =>
      [null, AT_MS].map((startedMs) => aJob(status, { id: `job_${status}_${startedMs ?? 'new'}` as JobId, startedMs, queueUntilMs: AT_MS })),
    );
    await put(jobs(...all));
    expect(await database.query(QUEUE_LIMITS_PASSED)).toEqual([{ id: 'job_queued_new' }]);
  });
});
