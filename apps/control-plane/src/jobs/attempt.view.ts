import type { AttemptView, EventView, LogStream, LogStreamState, WorkerLink } from '@muster/protocol';
import { toAttemptFacts } from '../engine/fact-rows.js';
import type { AttemptRow } from '../engine/fact-rows.js';
import { toLogState } from '../logs/log-state.js';
import type { StoredStream } from '../logs/log-state.js';

export interface ShownAttemptRow extends AttemptRow {
  readonly worker_name: string;
  readonly worker_link: WorkerLink;
}

/** @param streams of this attempt's log */
export function toAttemptView(row: ShownAttemptRow, streams: readonly StoredStream[]): AttemptView {
  const facts = toAttemptFacts(row);
  const logs: Partial<Record<LogStream, LogStreamState>> = {};
  for (const stream of streams) logs[stream.stream] = toLogState(facts, stream);
  return {
    id: row.id,
    attemptId: row.id,
    jobId: row.job_id,
    number: row.number,
    epoch: row.epoch,
    workerId: row.worker_id,
    workerName: row.worker_name,
    state: row.state,
    outcome: row.outcome,
    exit: row.exit,
    detail: row.detail,
    containment: row.containment,
    leaseUntil: row.lease_until?.toISOString() ?? null,
    offeredAt: row.offered_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    endedAt: row.ended_at?.toISOString() ?? null,
    usage: row.usage,
    logs,
  };
}

export interface EventRow {
  readonly seq: number;
  readonly id: EventView['id'];
  readonly type: EventView['type'];
  readonly at: Date;
  readonly actor: string;
  readonly job_id: EventView['jobId'];
  readonly attempt_id: EventView['attemptId'];
  readonly worker_id: EventView['workerId'];
  readonly data: EventView['data'];
}

export function toEventView(row: EventRow): EventView {
  return {
    id: row.id,
    seq: row.seq,
    type: row.type,
    at: row.at.toISOString(),
    actor: row.actor,
    jobId: row.job_id,
    attemptId: row.attempt_id,
    workerId: row.worker_id,
    data: row.data,
  };
}
