import type { AttemptFacts, JobFacts, NewEvent, ServerDecision, Slice, WorkerFacts } from '@muster/domain';
import type { LogProof } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { GuardFailed } from '../database/database-errors.js';
import { newId } from '../new-id.js';
import { storeCounters } from './store-counters.js';
import { storeSystemLines, type SystemLine } from './store-system-lines.js';
import { ATTEMPTS_ADD, EVENTS_ADD, LOG_PROOFS_STORE, RESULTS_STORE, ROWS_STORE } from './store.sql.js';

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
  const attempts = changed(loaded.attempts, decided.attempts);
  const known = attempts.filter((row) => loaded.attempts.has(row.id));
  const added = attempts.filter((row) => !loaded.attempts.has(row.id));
  const lines: SystemLine[] = decisions.flatMap((decision) => decision.systemLines);
  // Sent together; they run in this order. The unique index allows one live attempt per job at every moment, so those
  // that end are stored before those that begin.
  await Promise.all([
    storeRows(connection, changes, known),
    storeCounters(connection, attempts.map((after) => ({ before: loaded.attempts.get(after.id), after }))),
    added.length > 0 && connection.execute(ATTEMPTS_ADD, [JSON.stringify(added.map(toNewAttemptRecord))]),
    storeResults(connection, decisions.flatMap((decision) => decision.results)),
    storeProofs(connection, attempts.filter((row) => row.proofs !== loaded.attempts.get(row.id)?.proofs)),
    storeSystemLines(connection, lines, nowMs),
  ]);
}

async function storeRows(connection: Connection, { loaded, decided, decisions, nowMs }: Changes, known: readonly AttemptFacts[]): Promise<void> {
  const workers = changed(loaded.workers, decided.workers).map((row) => toWorkerRecord(row, loaded));
  const jobs = changed(loaded.jobs, decided.jobs).map((row) => toJobRecord(row, loaded));
  const attempts = known.map((row) => toAttemptRecord(row, loaded));
  const events = decisions.flatMap((decision) => decision.events).map(toEventRecord);
  if (workers.length + jobs.length + attempts.length + events.length === 0) return;
  const records = [workers, jobs, attempts, events].map((rows) => JSON.stringify(rows));
  const [stored] = await connection.query<Record<'workers' | 'jobs' | 'attempts', number>>(ROWS_STORE, [...records, nowMs]);
  for (const [table, rows] of Object.entries({ workers, jobs, attempts })) {
    const count = stored?.[table as 'workers' | 'jobs' | 'attempts'] ?? 0;
    if (count !== rows.length) throw new GuardFailed(table, rows.length, count);
  }
}

/** Writes events that no decision makes, such as a worker's registration. */
export async function storeEvents(connection: Connection, events: readonly NewEvent[], nowMs: number): Promise<void> {
  await connection.execute(EVENTS_ADD, [JSON.stringify(events.map(toEventRecord)), nowMs]);
}

function toEventRecord(event: NewEvent): object {
  return {
    id: newId('evt'),
    type: event.type,
    actor: event.actor,
    job_id: event.jobId,
    attempt_id: event.attemptId,
    worker_id: event.workerId,
    data: event.data,
  };
}

function changed<Id, Row>(loaded: ReadonlyMap<Id, Row>, decided: ReadonlyMap<Id, Row>): Row[] {
  if (loaded === decided) return [];
  return [...decided].filter(([id, row]) => loaded.get(id) !== row).map(([, row]) => row);
}

function toWorkerRecord(row: WorkerFacts, loaded: Slice): object {
  return {
    id: row.id,
    loaded_session: loaded.workers.get(row.id)?.session ?? null,
    session: row.session,
    instance_id: row.instanceId,
    slots: row.slots,
    slots_usable: row.slotsUsable,
    gpus_held: row.gpusHeld,
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
    queue_until_ms: row.queueUntilMs,
    started_ms: row.startedMs,
    finished_ms: row.finishedMs,
    exit: row.exit,
  };
}

function toAttemptRecord(row: AttemptFacts, loaded: Slice): object {
  const before = loaded.attempts.get(row.id);
  return { loaded_epoch: before?.epoch ?? null, loaded_state: before?.state ?? null, ...toAttemptValues(row) };
}

function toNewAttemptRecord(row: AttemptFacts): object {
  return {
    job_id: row.jobId,
    worker_id: row.workerId,
    number: row.number,
    epoch: row.epoch,
    gpus: row.gpus,
    offered_ms: row.offeredMs,
    log_id: row.logId,
    ...toAttemptValues(row),
  };
}

function toAttemptValues(row: AttemptFacts): object {
  return {
    id: row.id,
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

async function storeResults(connection: Connection, results: ServerDecision['results']): Promise<void> {
  if (results.length === 0) return;
  await connection.execute(RESULTS_STORE, [results.map(({ jobId }) => jobId), results.map(({ value }) => JSON.stringify(value))]);
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
