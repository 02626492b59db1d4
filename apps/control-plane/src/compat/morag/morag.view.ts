/** A worker's row as clients of the MoRAG registry read it. */
import type { Capability, WorkerStatus } from '@muster/protocol';
import { standingOf, type WorkerStandingRow } from '../../workers/worker.view.js';
import type { MoragMetricsDto } from './heartbeat.dto.js';
import type { MoragRegistrationDto } from './registration.dto.js';

/** A worker that came through this adapter: it has registered, and its metrics stand at 0 until it tells others. */
export interface MoragRow extends WorkerStandingRow {
  readonly foreign_id: string;
  readonly registration: MoragRegistrationDto;
  readonly metrics: MoragMetricsDto;
  readonly registered_at: Date;
  readonly last_beat_at: Date;
}

export interface WorkerInfo {
  readonly registration: MoragRegistrationDto;
  readonly status: WorkerStatus;
  readonly metrics: MoragMetricsDto;
  readonly last_heartbeat: string;
  readonly registered_at: string;
  readonly version: string;
}

export interface MoragStats {
  readonly total: number;
  readonly online: number;
  readonly offline: number;
  readonly busy: number;
  readonly gpu_workers: number;
  readonly cpu_workers: number;
  readonly hybrid_workers: number;
  readonly available: number;
}

/** Of the registry's model, not of the worker. */
const MODEL_VERSION = '1.0.0';

export function toWorkerInfo(row: MoragRow): WorkerInfo {
  return {
    registration: { worker_id: row.foreign_id, ...row.registration },
    status: standingOf(row),
    metrics: row.metrics,
    last_heartbeat: toNaive(row.last_beat_at),
    registered_at: toNaive(row.registered_at),
    version: MODEL_VERSION,
  };
}

/** `error` and `maintenance` have no count of their own. */
export function countMorag(rows: readonly MoragRow[]): MoragStats {
  const standings = rows.map((row) => ({ row, status: standingOf(row) }));
  const counted = (status: WorkerStatus): number => standings.filter((one) => one.status === status).length;
  const capable = (capability: Capability): number => rows.filter((row) => row.capability === capability).length;
  const isAvailable = ({ row, status }: (typeof standings)[number]): boolean =>
    status === 'online' && row.metrics.active_tasks < row.registration.max_concurrent_tasks;
  return {
    total: rows.length,
    online: counted('online'),
    offline: counted('offline'),
    busy: counted('busy'),
    gpu_workers: capable('gpu'),
    cpu_workers: capable('cpu'),
    hybrid_workers: capable('hybrid'),
    available: standings.filter(isAvailable).length,
  };
}

/** UTC without saying so: the clients' model subtracts it from a moment without an offset. */
function toNaive(at: Date): string {
  return at.toISOString().slice(0, -1);
}
