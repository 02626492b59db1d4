import type { AttemptFacts, JobFacts, NewEvent, ServerDecision, Slice, WorkerFacts } from '@muster/domain';
import type { LogProof } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { GuardFailed } from '../database/database-errors.js';
import type { Statement } from '../database/sql.js';
import { newId } from '../new-id.js';
import { storeSystemLines, type SystemLine } from './store-system-lines.js';
import {
  ATTEMPTS_ADD, ATTEMPTS_STORE, EVENTS_ADD, JOBS_STORE, LOG_PROOFS_STORE, RESULTS_STORE, WORKERS_COUNT, WORKERS_STORE,
} from './store.sql.js';

/** What a batch of decisions adds up to. */
export interface Changes {
  readonly loaded: Slice;
  /** The slice after the last decision; rows that are not the loaded ones are stored. */
  readonly decided: Slice;
  readonly decisions: readonly Pick<ServerDecision, 'results' | 'events' | 'systemLines'>[];
  readonly nowMs: number;
}

/** Stores everything a batch decided, in the transaction that locked its rows. Throws, storing nothing, when a guard fails. */
export async function storeSlice(connection: Connection, changes: Changes): Promise<void> {
  const { loaded, decided, decisions, nowMs } = changes;
  const workers = changed(loaded.workers, decided.workers).map((row) => toWorkerRecord(row, loaded));
  const jobs = changed(loaded.jobs, decided.jobs).map((row) => toJobRecord(row, loaded));
  const attempts = changed(loaded.attempts, decided.attempts);
  const known = attempts.filter((row) => loaded.attempts.has(row.id));
  await guarded(connection, WORKERS_STORE, 'worker', workers);
  await guarded(connection, JOBS_STORE, 'job', jobs);
  // Ended ones first: the unique index allows one live attempt per job at every moment.
  await guarded(connection, ATTEMPTS_STORE, 'attempt', known.map((row) => toAttemptRecord(row, loaded)));
  await add(connection, ATTEMPTS_ADD, attempts.filter((row) => !loaded.attempts.has(row.id)).map(toNewAttemptRecord));
  await storeResults(connection, decisions.flatMap((decision) => decision.results));
  const ended = known.filter((row) => row.state === 'ended' && loaded.attempts.get(row.id)?.state !== 'ended');
  await countEnds(connection, ended.filter((row) => loaded.workers.has(row.workerId)));
  await storeProofs(connection, known.filter((row) => row.proofs !== loaded.attempts.get(row.id)?.proofs));
  const lines: SystemLine[] = decisions.flatMap((decision) => decision.systemLines);
  await storeSystemLines(connection, lines, nowMs);
  await storeEvents(connection, decisions.flatMap((decision) => decision.events), nowMs);
}

/** Writes events; also for those that no decision makes, such as a worker's registration. */
export async function storeEvents(connection: Connection, events: readonly NewEvent[], nowMs: number): Promise<void> {
  if (events.length === 0) return;
  const records = events.map((event) => ({
    id: newId('evt'),
    type: event.type,
    actor: event.actor,
    job_id: event.jobId,
    attempt_id: event.attemptId,
    worker_id: event.workerId,
    data: event.data,
  }));
  await connection.execute(EVENTS_ADD, [JSON.stringify(records), nowMs]);
}

function changed<Id, Row>(loaded: ReadonlyMap<Id, Row>, decided: ReadonlyMap<Id, Row>): Row[] {
  if (loaded === decided) return [];
  return [...decided].filter(([id, row]) => loaded.get(id) !== row).map(([, row]) => row);
}

async function guarded(connection: Connection, statement: Statement, table: string, records: readonly object[]): Promise<void> {
  if (records.length === 0) return;
  const stored = await connection.execute(statement, [JSON.stringify(records)]);
  if (stored !== records.length) throw new GuardFailed(table, records.length, stored);
}

async function add(connection: Connection, statement: Statement, records: readonly object[]): Promise<void> {
  if (records.length > 0) await connection.execute(statement, [JSON.stringify(records)]);
}

function toWorkerRecord(row: WorkerFacts, loaded: Slice): object {
  return {
    id: row.id,
    loaded_session: loaded.workers.get(row.id)?.session ?? null,
    session: row.session,
    instance_id: row.instanceId,
    slots: row.slots,
    slots_usable: row.slotsUsable,
    is_paused: row.isPaused,
    link: row.link,
    last_beat_ms: row.lastBeatMs,
  };
}

function toJobRecord(row: JobFacts, loaded: Slice): object {
  const before = loaded.jobs.get(row.id);
  return {
    id: row.id,
    loaded_epoch: before?.epoch ?? null,
    loaded_status: before?.status ?? null,
    status: row.status,
    desired: row.desired,
    force: row.force,
    reason: row.reason,
    reason_detail: row.reasonDetail,
    epoch: row.epoch,
    attempt_count: row.attemptCount,
    current_attempt_id: row.currentAttemptId,
    failures: row.failures,
    losses: row.losses,
    refusals: row.refusals,
    losses_while_running: row.lossesWhileRunning,
    not_before_ms: row.notBeforeMs,
    started_ms: row.startedMs,
    finished_ms: row.finishedMs,
    exit: row.exit,
  };
}

function toAttemptRecord(row: AttemptFacts, loaded: Slice): object {
  const before = loaded.attempts.get(row.id);
  return {
    id: row.id,
    loaded_epoch: before?.epoch ?? null,
    loaded_state: before?.state ?? null,
    state: row.state,
    outcome: row.outcome,
    exit: row.exit,
    detail: row.detail,
    lease_until_ms: row.leaseUntilMs,
    started_ms: row.startedMs,
    ended_ms: row.endedMs,
    containment: row.containment,
    usage: row.usage,
    leftovers: row.leftovers,
    proofs: row.proofs,
  };
}

function toNewAttemptRecord(row: AttemptFacts): object {
  return {
    id: row.id,
    job_id: row.jobId,
    worker_id: row.workerId,
    number: row.number,
    epoch: row.epoch,
    state: row.state,
    gpus: row.gpus,
    lease_until_ms: row.leaseUntilMs,
    offered_ms: row.offeredMs,
    started_ms: row.startedMs,
    log_id: row.logId,
  };
}

async function storeResults(connection: Connection, results: ServerDecision['results']): Promise<void> {
  if (results.length === 0) return;
  await connection.execute(RESULTS_STORE, [results.map(({ jobId }) => jobId), results.map(({ value }) => JSON.stringify(value))]);
}

async function countEnds(connection: Connection, ended: readonly AttemptFacts[]): Promise<void> {
  const counts = new Map<string, { completed: number; failed: number; seconds: number }>();
  for (const { workerId, outcome, startedMs, endedMs } of ended) {
    if (startedMs === null || endedMs === null) continue;
    const count = counts.get(workerId) ?? { completed: 0, failed: 0, seconds: 0 };
    if (outcome === 'succeeded') count.completed += 1;
    else if (outcome !== 'cancelled' && outcome !== 'stopped' && outcome !== 'checkpointed') count.failed += 1;
    count.seconds += (endedMs - startedMs) / 1_000;
    counts.set(workerId, count);
  }
  if (counts.size === 0) return;
  const all = [...counts.values()];
  await connection.execute(WORKERS_COUNT, [
    [...counts.keys()],
    all.map(({ completed }) => completed),
    all.map(({ failed }) => failed),
    all.map(({ seconds }) => seconds),
  ]);
}

async function storeProofs(connection: Connection, attempts: readonly AttemptFacts[]): Promise<void> {
  // Two attempts of one log may end in one batch: the later row wins, and a row stands once in a statement.
  const proofs = new Map<string, { logId: string; stream: string; proof: LogProof }>();
  for (const { logId, proofs: given } of attempts) {
    for (const [stream, proof] of Object.entries(given)) proofs.set(`${logId}:${stream}`, { logId, stream, proof });
  }
  if (proofs.size === 0) return;
  const all = [...proofs.values()];
  await connection.execute(LOG_PROOFS_STORE, [
    all.map(({ logId }) => logId),
    all.map(({ stream }) => stream),
    all.map(({ proof }) => proof.length),
    all.map(({ proof }) => proof.sha256),
  ]);
}
