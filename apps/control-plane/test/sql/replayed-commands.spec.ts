import { AsyncLocalStorage } from 'node:async_hooks';
import type { JobFacts, WorkerFacts } from '@muster/domain';
import type { AttemptId, IdPrefix, JobId, WorkerId } from '@muster/protocol';
import { baseSeed, type FreshDatabase, type Profile } from '@muster/testing';
import { Announcements } from '../../src/announcements.js';
import { configWith } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import { LaneBook } from '../../src/dispatch/lane-book.js';
import { LaneKeeper } from '../../src/jobs/lane-keeper.js';
import { insertKey } from '../../src/keys/keys.service.js';
import { LogIngest } from '../../src/logs/log-ingest.js';
import { LogTails } from '../../src/logs/log-tails.js';
import type { newId as makeId } from '../../src/new-id.js';
import { log, testDatabase } from '../control-plane-harness.js';
import { Chance } from './chance.js';
import { ALL_KINDS } from './kinds.js';
import { Model } from './model.js';
import { Replay, type Bench, type Figures } from './replay.js';
import { aProfile, clearFacts, putFacts, putLogs } from './stored-facts.js';
import { installVirtualClock } from './virtual-clock.js';
import { windowsOf, type Window } from './windows.js';

/** The ids a claim gives are those that were recorded; each bench that runs at the same time has its own. */
const mockIds = new AsyncLocalStorage<AttemptId[]>();
jest.mock('../../src/new-id.js', () => {
  const { newId } = jest.requireActual<{ newId: typeof makeId }>('../../src/new-id.js');
  return { newId: (prefix: IdPrefix) => (prefix === 'att' ? mockIds.getStore()?.shift() : undefined) ?? newId(prefix) };
});

jest.setTimeout(600_000);

/** Always the same, and enough for every kind of answer to occur. */
const KNOWN = { what: 'known', firstSeed: 1, sequences: 120 };
/** Those that no commit before this one saw: from the seed on at which its simulation begins, which `SIM_BASE` brings back. */
const FRESH = { what: 'fresh', firstSeed: baseSeed(), sequences: Number(process.env['SQL_SEQUENCES'] ?? 80) };
const PROBES = 10;
const REMOVED = 'wkr_removed' as WorkerId;

interface FreshBench extends Bench {
  readonly fresh: FreshDatabase;
}
const benches: FreshBench[] = [];

async function aBench(): Promise<FreshBench> {
  const fresh = await testDatabase();
  await installVirtualClock(fresh.url);
  const database = new Database(fresh.url, log);
  const key = await database.transaction((connection) => insertKey(connection, { name: 'workers', role: 'worker', owner: 'team' }, 'test'));
  const ingest = new LogIngest(database, new Announcements(log), new LogTails(), configWith({ databaseUrl: fresh.url }));
  return { fresh, database, ingest, book: new LaneBook(), lanes: new LaneKeeper(), nextIds: [], keyId: key.id, profileOf: aProfile };
}

beforeAll(async () => {
  benches.push(...(await Promise.all([aBench(), aBench()])));
});
afterAll(async () => {
  for (const { ingest, database, fresh } of benches) {
    await ingest.close();
    await database.end();
    await fresh.drop();
  }
});

/** Also a worker that was removed and a job that may wait only so long: nothing the simulator knows. */
function withStrangers(window: Window): Window['before'] {
  const worker = [...window.before.workers.values()][0] as WorkerFacts;
  const jobs = [...window.before.jobs.values()];
  const limited = jobs.slice(0, 1).map((job): JobFacts => ({
    ...job, id: 'job_limited' as JobId, spec: { ...job.spec, limits: { queueSeconds: 60 } }, status: 'queued', desired: 'run', force: false,
    reason: 'waiting', reasonDetail: null, epoch: 0, attemptCount: 0, currentAttemptId: null, failures: 0, losses: 0, refusals: 0,
    lossesWhileRunning: 0, notBeforeMs: null, queueUntilMs: job.createdMs + 60_000, startedMs: null, finishedMs: null, exit: null,
  }));
  return {
    ...window.before,
    jobs: new Map([...jobs, ...limited].map((job) => [job.id, job])),
    workers: new Map([...window.before.workers, [REMOVED, { ...worker, id: REMOVED, isRemoved: true }]]),
  };
}

const SPOIL = sql`update job set losses = 8 where id = (select min(id) from job)`;
const SUPERSEDE = sql`update worker set session = session + 1`;
const TIMES = { workerTimeoutMs: 6_000, beatIntervalMs: 2_000, offerTtlMs: 15_000 };

function noFigures(): Figures {
  return { sequences: 0, commands: 0, shortest: Infinity, batches: 0, claims: 0, grants: 0, chunks: 0, renewed: 0, kinds: new Map() };
}

/** Rows in PostgreSQL and in the model as they stand before the window. */
async function prepare(bench: FreshBench, window: Window, chance: Chance, figures: Figures): Promise<Replay> {
  const rows = withStrangers(window);
  await clearFacts(bench.database.control);
  await bench.database.transaction((connection) => putFacts(connection, rows, bench));
  await putLogs(bench.database.control, window.logs);
  const model = new Model(rows);
  for (const [logId, length] of window.logs) model.logs.set(logId, length);
  return new Replay(bench, model, aProfile, chance, figures);
}

async function replay(bench: FreshBench, window: Window, chance: Chance, figures: Figures): Promise<void> {
  const run = await prepare(bench, window, chance, figures);
  await run.run(window.steps);
  await run.probe(PROBES, TIMES);
  await run.settle(TIMES);
  figures.shortest = Math.min(figures.shortest, run.commands);
}

describe('PostgreSQL and the product\'s statements', () => {
  it.each([KNOWN, FRESH])('answer $sequences $what sequences as the reducers do, and store the same', async ({ what, firstSeed, sequences }) => {
    const figures = noFigures();
    const failures: string[] = [];
    const startMs = performance.now();
    const each = async (bench: FreshBench, profile: Profile): Promise<void> => {
      let seed = firstSeed * 1_000 + (profile === 'exclusive' ? 0 : 500);
      for (const window of windowsOf(profile, firstSeed, sequences / 2)) {
        const chance = new Chance((seed += 1));
        await replay(bench, window, chance, figures).catch((error: Error) => failures.push(`${window.name}: ${error.message}`));
        figures.sequences += 1;
        if (failures.length > 3) return;
      }
    };
    const [first, second] = benches as [FreshBench, FreshBench];
    await Promise.all([
      mockIds.run(first.nextIds, () => each(first, 'exclusive')),
      mockIds.run(second.nextIds, () => each(second, 'reclaim')),
    ]);
    const { kinds, ...counts } = figures;
    const seconds = Math.round((performance.now() - startMs) / 100) / 10;
    const all = JSON.stringify(Object.fromEntries([...kinds].sort()));
    process.stdout.write(`replayed in ${seconds} s, ${what} from seed ${firstSeed}: ${JSON.stringify(counts)}, ${kinds.size} kinds: ${all}\n`);
    expect(failures).toEqual([]);
    expect(figures.sequences).toBe(sequences);
    expect(figures.shortest).toBeGreaterThanOrEqual(50);
    expect(figures.renewed).toBeGreaterThan(figures.commands / 20);
    if (what === 'known') expect([...kinds.keys()].sort()).toEqual([...ALL_KINDS].sort());
  });

  it('are told apart from it by one column of one row, and by one answer', async () => {
    const [bench] = benches as [FreshBench];
    const [window] = windowsOf('reclaim', KNOWN.firstSeed, 1);
    if (window === undefined) throw new Error('There is no schedule.');
    const run = await prepare(bench, window, new Chance(1), noFigures());
    await run.settle(TIMES);
    await bench.database.execute(SPOIL);
    await expect(run.settle(TIMES)).rejects.toThrow(/losses: PostgreSQL 8, reducers/);
    const another = await prepare(bench, window, new Chance(1), noFigures());
    await bench.database.execute(SUPERSEDE);
    await expect(another.run(window.steps)).rejects.toThrow(/^PostgreSQL: .*\nreducers: /);
  });
});
