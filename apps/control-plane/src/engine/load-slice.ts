import { factsNeeded, type FactsNeeded, type ServerCommand, type Slice } from '@muster/domain';
import type { AttemptId, JobId, WorkerId } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { toAttemptFacts, toJobFacts, toWorkerFacts, type AttemptRow, type JobRow, type WorkerRow } from './fact-rows.js';
import { ATTEMPTS_LOCK, JOBS_LOCK, WORKERS_LOCK, WORKERS_READ } from './facts.sql.js';

export interface LoadedSlice {
  readonly slice: Slice;
  /** Milliseconds since 1970 by the database's clock. */
  readonly nowMs: number;
}

/**
 * Loads and locks the rows of all commands of a batch. Waits for whoever holds them; never in a circle (lock order). The
 * statements are sent together and run one after the other.
 */
export async function loadSlice(connection: Connection, commands: readonly ServerCommand[]): Promise<LoadedSlice> {
  const needed = unite(commands.map(factsNeeded));
  const concerned = [needed.jobIds, needed.attemptIds, needed.liveOfWorkers];
  const [workerRows, jobRows, attemptRows] = await Promise.all([
    connection.query<ClockedWorkerRow>(WORKERS_LOCK, [needed.workerIds]),
    connection.query<JobRow>(JOBS_LOCK, concerned),
    connection.query<AttemptRow>(ATTEMPTS_LOCK, concerned),
  ]);
  const workers = new Map(workerRows.flatMap((row) => (row.id === null ? [] : [[row.id, toWorkerFacts(row)] as const])));
  const jobs = new Map(jobRows.map((row) => [row.id, toJobFacts(row)]));
  const attempts = new Map(attemptRows.map((row) => [row.id, toAttemptFacts(row)]));
  await addHolders(connection, needed, { jobs, attempts, workers });
  return { slice: { jobs, attempts, workers }, nowMs: workerRows[0]?.now_ms ?? 0 };
}

/** The clock stands in every row, and alone where no worker was found. */
type ClockedWorkerRow = { now_ms: number } & (WorkerRow | { id: null });

interface Tables {
  readonly jobs: Map<JobId, ReturnType<typeof toJobFacts>>;
  readonly attempts: Map<AttemptId, ReturnType<typeof toAttemptFacts>>;
  readonly workers: Map<WorkerId, ReturnType<typeof toWorkerFacts>>;
}

function unite(all: readonly FactsNeeded[]): FactsNeeded {
  const union = <Id>(pick: (one: FactsNeeded) => readonly Id[]): Id[] => [...new Set(all.flatMap(pick))];
  return {
    jobIds: union((one) => [...one.jobIds, ...one.currentOfJobs]),
    attemptIds: union((one) => [...one.attemptIds, ...one.newestOfAttempts]),
    workerIds: union((one) => [...one.workerIds, ...one.liveOfWorkers]),
    liveOfWorkers: union((one) => one.liveOfWorkers),
    currentOfJobs: union((one) => one.currentOfJobs),
    newestOfAttempts: union((one) => one.newestOfAttempts),
  };
}

/**
 * The workers that hold jobs people act on, or attempts that are swept, are read, not locked: what is said names them, and
 * nothing of theirs changes.
 */
async function addHolders(connection: Connection, needed: FactsNeeded, tables: Tables): Promise<void> {
  const missing = new Set<WorkerId>();
  const addHolder = (attemptId: AttemptId | null | undefined): void => {
    const workerId = attemptId && tables.attempts.get(attemptId)?.workerId;
    if (workerId && !tables.workers.has(workerId)) missing.add(workerId);
  };
  for (const jobId of needed.currentOfJobs) addHolder(tables.jobs.get(jobId)?.currentAttemptId);
  for (const attemptId of needed.attemptIds) addHolder(attemptId);
  if (missing.size === 0) return;
  const rows = await connection.query<WorkerRow>(WORKERS_READ, [[...missing]]);
  for (const row of rows) tables.workers.set(row.id, toWorkerFacts(row));
}
