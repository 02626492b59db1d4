import { AsyncLocalStorage } from 'node:async_hooks';
import type { JobFacts, WorkerFacts } from '@muster/domain';
import type { AttemptId, JobId, WorkerId } from '@muster/protocol';
import type { FreshDatabase, Profile } from '@muster/testing';
import { Announcements } from '../../src/announcements.js';
import { configWith } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { LaneBook } from '../../src/dispatch/lane-book.js';
import { LaneKeeper } from '../../src/jobs/lane-keeper.js';
import { insertKey } from '../../src/keys/keys.service.js';
import { LogIngest } from '../../src/logs/log-ingest.js';
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
  const { newId } = jest.requireActual<typeof import('../../src/new-id.js')>('../../src/new-id.js');
  return { newId: (prefix: Parameters<typeof newId>[0]) => (prefix === 'att' ? mockIds.getStore()?.shift() : undefined) ?? newId(prefix) };
});

jest.setTimeout(600_000);

/** `SIM_BASE` moves the range of schedules, so that every commit may see others. */
const FIRST_SEED = (Number.parseInt(process.env['SIM_BASE'] ?? '1', 16) || 1) % 1_000_000;
const SEQUENCES = Number(process.env['SQL_SEQUENCES'] ?? 200);
const PROBES = 14;
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
  const ingest = new LogIngest(database, new Announcements(log), configWith({ databaseUrl: fresh.url }));
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

async function replay(bench: FreshBench, window: Window, chance: Chance, figures: Figures): Promise<void> {
  const rows = withStrangers(window);
  await clearFacts(bench.database.control);
  await bench.database.transaction((connection) => putFacts(connection, rows, bench));
  await putLogs(bench.database.control, window.logs);
  const model = new Model(rows);
  for (const [logId, length] of window.logs) model.logs.set(logId, length);
  const times = { workerTimeoutMs: 6_000, beatIntervalMs: 2_000, offerTtlMs: 15_000 };
  const run = new Replay(bench, model, aProfile, chance, figures);
  await run.run(window.steps);
  await run.probe(PROBES, times);
  await run.settle(times);
}

describe('PostgreSQL and the product\'s statements', () => {
  it(`answer ${SEQUENCES} sequences as the reducers do, and store the same rows`, async () => {
    const figures: Figures = { sequences: 0, commands: 0, shortest: Infinity, batches: 0, claims: 0, grants: 0, chunks: 0, kinds: new Map() };
    const failures: string[] = [];
    const startMs = performance.now();
    const each = async (bench: FreshBench, profile: Profile): Promise<void> => {
      for (const window of windowsOf(profile, FIRST_SEED, SEQUENCES / 2)) {
        const before = figures.commands;
        const chance = new Chance(FIRST_SEED + figures.sequences);
        await replay(bench, window, chance, figures).catch((error: Error) => failures.push(`${window.name}: ${error.message}`));
        figures.sequences += 1;
        figures.shortest = Math.min(figures.shortest, figures.commands - before);
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
    process.stdout.write(`replayed in ${seconds} s: ${JSON.stringify(counts)}, ${kinds.size} kinds: ${JSON.stringify(Object.fromEntries([...kinds].sort()))}\n`);
    expect(failures).toEqual([]);
    expect(figures.sequences).toBe(SEQUENCES);
    expect(figures.shortest).toBeGreaterThanOrEqual(50);
    expect(ALL_KINDS.filter((kind) => !kinds.has(kind))).toEqual([]);
  });
});
