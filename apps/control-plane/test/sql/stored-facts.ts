/** Facts into rows and back, by the product's own store and mappers: what a test begins with and what it compares. */
import { requirementsOf, type AttemptFacts, type JobFacts, type Slice, type WorkerFacts, type WorkerProfile } from '@muster/domain';
import type { AttemptId, KeyId, WorkerId } from '@muster/protocol';
import type { Connection, Transaction } from '../../src/database/connection-pool.js';
import { sql } from '../../src/database/sql.js';
import { toAttemptFacts, toJobFacts, toWorkerFacts, type AttemptRow, type JobRow, type WorkerRow } from '../../src/engine/fact-rows.js';
import { storeSlice } from '../../src/engine/store-slice.js';
import type { LaneKeeper } from '../../src/jobs/lane-keeper.js';

export const REPLICA = 'replica-of-the-test';

const CLEAR = sql`
  with logs as (delete from log_stream), chunks as (delete from log_chunk), events as (delete from event), attempts as (delete from attempt)
  select 1 as done
`;
const CLEAR_JOBS = sql`with jobs as (delete from job), workers as (delete from worker) select 1 as done`;
const WORKERS_PUT = sql`
  insert into worker (id, machine_id, key_id, owner, name, session, capability, content_types, labels, inventory, slots, replica_id, removed_at)
  select id, 'machine of ' || id, $2, owner, name, session, capability, array(select jsonb_array_elements_text(content_types)), labels,
    inventory, slots, $3, case when is_removed then now() end
  from jsonb_to_recordset($1::jsonb) as new (
    id text, owner text, name text, session integer, capability text, content_types jsonb, labels jsonb, inventory jsonb, slots integer,
    is_removed boolean
  )
`;
const JOBS_PUT = sql`
  insert into job (id, owner, name, spec, lane_id, status, reason, priority, created_at, queue_until)
  select id, owner, 'a job', spec, lane_id, 'queued', 'waiting', priority, to_timestamp(created_ms / 1000.0),
    to_timestamp(created_ms / 1000.0) + queue_seconds * interval '1 second'
  from jsonb_to_recordset($1::jsonb) as new (
    id text, owner text, spec jsonb, lane_id bigint, priority integer, created_ms double precision, queue_seconds double precision
  )
`;
const STREAMS_PUT = sql`
  insert into log_stream (log_id, stream, stored_length)
  select log_id, 'output', length
  from unnest($1::text[], $2::bigint[]) as new (log_id, length)
  on conflict (log_id, stream) do update
  set stored_length = excluded.stored_length
`;
const JOBS_ALL = sql`select * from job order by id collate "C"`;
const ATTEMPTS_ALL = sql`select * from attempt order by id collate "C"`;
const WORKERS_ALL = sql`select * from worker order by id collate "C"`;

export function aProfile(name: string, facts: Partial<WorkerProfile> = {}): WorkerProfile {
  return {
    name, capability: 'cpu', contentTypes: [], labels: { home: name }, cpuCores: 8, memoryMb: 8_000, gpus: [{ index: 0, model: 'H100' }],
    containment: ['group'], runKinds: ['command'], ...facts,
  };
}

/** Empties the tables that facts live in, with their logs and events. */
export async function clearFacts(connection: Connection): Promise<void> {
  await connection.query(CLEAR);
  await connection.query(CLEAR_JOBS);
}

export interface Putter {
  readonly keyId: KeyId;
  readonly lanes: LaneKeeper;
  readonly profileOf: (id: WorkerId) => WorkerProfile;
}

/** Stores facts as they are: rows are made, then brought to what the facts say by the statement that stores decisions. */
export async function putFacts(connection: Transaction, rows: Slice, { keyId, lanes, profileOf }: Putter): Promise<void> {
  const workers = [...rows.workers.values()];
  const jobs = [...rows.jobs.values()];
  if (workers.length > 0) {
    await connection.execute(WORKERS_PUT, [JSON.stringify(workers.map((row) => toNewWorker(row, profileOf(row.id)))), keyId, REPLICA]);
  }
  for (const owner of new Set(jobs.map((row) => row.owner))) {
    const own = jobs.filter((row) => row.owner === owner);
    const laneIds = await lanes.idsFor(connection, owner, own.map((row) => requirementsOf(row.spec)));
    await connection.execute(JOBS_PUT, [JSON.stringify(own.map((row, index) => toNewJob(row, laneIds[index])))]);
  }
  const made: Slice = {
    workers: new Map(workers.map((row) => [row.id, { ...row }])),
    jobs: new Map(jobs.map((row) => [row.id, { ...row, status: 'queued', epoch: 0 }])),
    attempts: new Map(),
  };
  // Offers are made only to those that take some; what became of the worker since is stored afterwards.
  const open = new Map(workers.map((row) => [row.id, { ...row, link: 'connected' as const, isPaused: false, maintenance: null, isRemoved: false }]));
  const offered: Slice = { ...rows, workers: open };
  storeSlice(connection, { loaded: made, decided: offered, decisions: [], nowMs: 0 });
  storeSlice(connection, { loaded: offered, decided: { ...offered, workers: rows.workers }, decisions: [], nowMs: 0 });
}

/** Lengths that logs have already, without their bytes. */
export async function putLogs(connection: Connection, logs: ReadonlyMap<AttemptId, number>): Promise<void> {
  await connection.execute(STREAMS_PUT, [[...logs.keys()], [...logs.values()]]);
}

/** Every job, attempt and worker, by id. */
export async function readFacts(connection: Connection): Promise<Slice> {
  const [jobs, attempts, workers] = await Promise.all([
    connection.query<JobRow>(JOBS_ALL),
    connection.query<AttemptRow>(ATTEMPTS_ALL),
    connection.query<WorkerRow>(WORKERS_ALL),
  ]);
  return sliceOf(jobs.map(toJobFacts), attempts.map(toAttemptFacts), workers.map(toWorkerFacts));
}

export function sliceOf(jobs: readonly JobFacts[], attempts: readonly AttemptFacts[], workers: readonly WorkerFacts[]): Slice {
  return {
    jobs: new Map(jobs.map((row) => [row.id, row])),
    attempts: new Map(attempts.map((row) => [row.id, row])),
    workers: new Map(workers.map((row) => [row.id, row])),
  };
}

/** Facts in an order of their own and without what JSON does not carry, to be compared. */
export function plainFacts(slice: Slice): unknown {
  const plain = <Row extends { readonly id: string }>(rows: ReadonlyMap<string, Row>): Row[] =>
    [...rows.values()].sort((left, right) => (left.id < right.id ? -1 : 1));
  return JSON.parse(JSON.stringify({ jobs: plain(slice.jobs), attempts: plain(slice.attempts), workers: plain(slice.workers) })) as unknown;
}

function toNewWorker(row: WorkerFacts, profile: WorkerProfile): object {
  const { capability, contentTypes, labels, cpuCores, memoryMb, gpus, containment, runKinds } = profile;
  return {
    id: row.id, owner: row.owner, name: row.name, session: row.session, capability, content_types: contentTypes, labels, slots: row.slots,
    inventory: { cpuCores, memoryMb, gpus, containment: { available: containment }, runKinds }, is_removed: row.isRemoved,
  };
}

function toNewJob(row: JobFacts, laneId: number | undefined): object {
  return {
    id: row.id, owner: row.owner, spec: row.spec, lane_id: laneId, priority: row.priority, created_ms: row.createdMs,
    queue_seconds: row.spec.limits.queueSeconds ?? null,
  };
}
