import type { AttemptFacts, JobFacts, NewEvent, ServerDecision, Slice, WorkerFacts } from '@muster/domain';
import type { WorkerId } from '@muster/protocol';
import type { Connection, Transaction } from '../database/connection-pool.js';
import { newId } from '../new-id.js';
import { storeSystemLines, type SystemLine } from './store-system-lines.js';
import { ATTEMPTS_ADD, EVENTS_ADD, RESULTS_STORE, ROWS_STORE } from './store.sql.js';
import { countEnds, type Counts } from './worker-counters.js';

/** What a batch of decisions adds up to. */
export interface Changes {
  readonly loaded: Slice;
  /** The slice after the last decision; rows that are not the loaded ones are stored. */
  readonly decided: Slice;
  readonly decisions: readonly Pick<ServerDecision, 'results' | 'events' | 'systemLines'>[];
  readonly nowMs: number;
}

/**
 * Sends everything a batch decided, in the transaction that locked its rows. That fails with `GuardFailed`, storing nothing,
 * when a row is not as it was loaded.
 */
export function storeSlice(transaction: Transaction, changes: Changes): void {
  const { loaded, decided, decisions, nowMs } = changes;
  const attempts = changed(loaded.attempts, decided.attempts);
  const added = attempts.filter((row) => !loaded.attempts.has(row.id));
  const lines: SystemLine[] = decisions.flatMap((decision) => decision.systemLines);
  // The unique index allows one live attempt per job at every moment, so those that end are stored before those that begin.
  storeRows(transaction, changes, attempts);
  if (added.length > 0) transaction.send(ATTEMPTS_ADD, [JSON.stringify(added.map(toNewAttemptRecord))]);
  storeResults(transaction, decisions.flatMap((decision) => decision.results));
  storeSystemLines(transaction, lines, nowMs);
}

function storeRows(transaction: Transaction, changes: Changes, attempts: readonly AttemptFacts[]): void {
  const { loaded, decided, decisions, nowMs } = changes;
  const rows = [
    toWorkerRecords(changes, countEnds(attempts.map((after) => ({ before: loaded.attempts.get(after.id), after })))),
    changed(loaded.jobs, decided.jobs).map((row) => toJobRecord(row, loaded)),
    attempts.filter((row) => loaded.attempts.has(row.id)).map((row) => toAttemptRecord(row, loaded)),
    decisions.flatMap((decision) => decision.events).map(toEventRecord),
    toProofRecords(attempts.filter((row) => row.proofs !== loaded.attempts.get(row.id)?.proofs)),
  ];
  if (rows.every((records) => records.length === 0)) return;
  transaction.send(ROWS_STORE, [...rows.map((records) => JSON.stringify(records)), nowMs]);
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

/** Workers that changed, and those that reported an end: whoever does has its row locked. */
function toWorkerRecords({ loaded, decided }: Changes, counts: readonly Counts[]): object[] {
  const rows = new Map<WorkerId, WorkerFacts>(changed(loaded.workers, decided.workers).map((row) => [row.id, row]));
  const countOf = new Map(counts.map((count) => [count.id, count]));
  for (const id of countOf.keys()) {
    const reporter = decided.workers.get(id);
    if (reporter) rows.set(id, reporter);
  }
  return [...rows.values()].map((row) => toWorkerRecord(row, loaded, countOf.get(row.id)));
}

function toWorkerRecord(row: WorkerFacts, loaded: Slice, count: Counts | undefined): object {
  return {
    id: row.id,
    loaded_session: loaded.workers.get(row.id)?.session ?? null,
    session: row.session,
    instance_id: row.instanceId,
    slots: row.slots,
    slots_usable: row.slotsUsable,
    slots_ordered: row.slotsOrdered,
    slots_said: row.slotsSaid,
    gpus_held: row.gpusHeld,
    is_paused: row.isPaused,
    maintenance: row.maintenance,
    is_removed: row.isRemoved,
    link: row.link,
    last_beat_ms: row.lastBeatMs,
    completed: count?.completed ?? 0,
    failed: count?.failed ?? 0,
    run_seconds: count?.run_seconds ?? 0,
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
    granted_session: row.grantedSession,
  };
}

function storeResults(transaction: Transaction, results: ServerDecision['results']): void {
  if (results.length === 0) return;
  transaction.send(RESULTS_STORE, [results.map(({ jobId }) => jobId), results.map(({ value }) => JSON.stringify(value))]);
}

function toProofRecords(attempts: readonly AttemptFacts[]): object[] {
  // Two attempts of one log may end in one batch: the later row wins, and a row stands once in a statement.
  const proofs = new Map<string, object>();
  for (const { logId, proofs: given } of attempts) {
    for (const [stream, { length, sha256 }] of Object.entries(given)) {
      proofs.set(`${logId}:${stream}`, { log_id: logId, stream, final_length: length, sha256 });
    }
  }
  return [...proofs.values()];
}
