import { factsNeeded, type FactsNeeded, type ServerCommand, type Slice } from '@muster/domain';
import type { AttemptId, JobId, WorkerId } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { toAttemptFacts, toJobFacts, toWorkerFacts, type AttemptRow, type JobRow, type WorkerRow } from './fact-rows.js';
import { ATTEMPTS_LOCK, JOBS_LOCK, JOBS_OF_ATTEMPTS, NOW, WORKERS_LOCK, WORKERS_READ } from './facts.sql.js';

export interface LoadedSlice {
  readonly slice: Slice;
  /** Milliseconds since 1970 by the database's clock. */
  readonly nowMs: number;
}

/** Loads and locks the rows of all commands of a batch. Waits for whoever holds them; never in a circle (lock order). */
export async function loadSlice(connection: Connection, commands: readonly ServerCommand[]): Promise<LoadedSlice> {
  const needed = unite(commands.map(factsNeeded));
  const [clock] = await connection.query<{ now_ms: number }>(NOW);
  const workers = await lockWorkers(connection, needed.workerIds);
  const jobs = await lockJobs(connection, needed);
  const attempts = await lockAttempts(connection, needed, [...jobs.keys()]);
  await addWorkersOfCurrent(connection, needed, { jobs, attempts, workers });
  return { slice: { jobs, attempts, workers }, nowMs: clock?.now_ms ?? 0 };
}

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

async function lockWorkers(connection: Connection, ids: readonly WorkerId[]): Promise<Tables['workers']> {
  if (ids.length === 0) return new Map();
  const rows = await connection.query<WorkerRow>(WORKERS_LOCK, [ids]);
  return new Map(rows.map((row) => [row.id, toWorkerFacts(row)]));
}

async function lockJobs(connection: Connection, needed: FactsNeeded): Promise<Tables['jobs']> {
  const ids = new Set(needed.jobIds);
  if (needed.attemptIds.length > 0 || needed.liveOfWorkers.length > 0) {
    const named = await connection.query<{ job_id: JobId }>(JOBS_OF_ATTEMPTS, [needed.attemptIds, needed.liveOfWorkers]);
    for (const { job_id: id } of named) ids.add(id);
  }
  if (ids.size === 0) return new Map();
  const rows = await connection.query<JobRow>(JOBS_LOCK, [[...ids]]);
  return new Map(rows.map((row) => [row.id, toJobFacts(row)]));
}

async function lockAttempts(connection: Connection, needed: FactsNeeded, jobIds: readonly JobId[]): Promise<Tables['attempts']> {
  if (jobIds.length === 0) return new Map();
  const rows = await connection.query<AttemptRow>(ATTEMPTS_LOCK, [needed.attemptIds, needed.liveOfWorkers, jobIds]);
  return new Map(rows.map((row) => [row.id, toAttemptFacts(row)]));
}

/** The workers that hold jobs people act on are read, not locked: nothing of theirs changes by such an action. */
async function addWorkersOfCurrent(connection: Connection, needed: FactsNeeded, tables: Tables): Promise<void> {
  const missing = new Set<WorkerId>();
  for (const jobId of needed.currentOfJobs) {
    const currentId = tables.jobs.get(jobId)?.currentAttemptId;
    const workerId = currentId && tables.attempts.get(currentId)?.workerId;
    if (workerId && !tables.workers.has(workerId)) missing.add(workerId);
  }
  if (missing.size === 0) return;
  const rows = await connection.query<WorkerRow>(WORKERS_READ, [[...missing]]);
  for (const row of rows) tables.workers.set(row.id, toWorkerFacts(row));
}
