import { versionSkew, workerReadiness, workerStatus } from '@muster/domain';
import type {
  Capability, Inventory, KeyId, WorkerAdapter, WorkerId, WorkerLink, WorkerSample, WorkerStatus, WorkerView,
} from '@muster/protocol';
import { VERSION } from '../http/openapi.js';
import { mayAct } from '../keys/caller.js';
import type { Caller } from '../keys/caller.js';
import { ordersOf, type OrderedWorkerRow } from './orders/orders.view.js';

/** What the shown status is made of. */
export interface WorkerStandingRow {
  readonly capability: Capability;
  readonly slots: number;
  readonly slots_usable: number;
  readonly is_paused: boolean;
  readonly link: WorkerLink;
  /** Its agent's last sample tells of a fault. */
  readonly has_faults: boolean;
  /** How a worker of another make said it stands. */
  readonly reported_status: WorkerStatus | null;
  readonly active_count: number;
  /** Neither people nor its agent keep it from work, and an offer would be heard. */
  readonly takes_offers: boolean;
  /** People want no new jobs there. */
  readonly is_in_maintenance: boolean;
  readonly removed_at: Date | null;
  /** Since its last beat. */
  readonly silent_ms: number | null;
}

export interface ShownWorkerRow extends WorkerStandingRow, OrderedWorkerRow {
  readonly id: WorkerId;
  readonly key_id: KeyId;
  readonly owner: string;
  readonly name: string;
  readonly agent_version: string;
  readonly content_types: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly inventory: Inventory;
  readonly sample: WorkerSample | null;
  readonly registered_at: Date;
  readonly last_beat_at: Date | null;
  readonly address: string | null;
  readonly latency_ms: number | null;
  readonly completed_count: number;
  readonly failed_count: number;
  readonly run_seconds_total: number;
  readonly adapter: WorkerAdapter | null;
  readonly foreign_id: string | null;
  readonly features: readonly string[];
  readonly load: number | null;
  readonly metrics: Readonly<Record<string, number>> | null;
}

/** What a worker of another make says of itself counts, unless it is silent or people said otherwise. */
export function standingOf(row: WorkerStandingRow): WorkerStatus {
  const { reported_status: reported } = row;
  return workerStatus({
    link: row.removed_at !== null || reported === 'offline' ? 'unreachable' : row.link,
    isInMaintenance: row.is_in_maintenance || reported === 'maintenance',
    hasError: reported === 'error' || (row.link === 'connected' && (row.has_faults || holdsBack(row))),
    slots: row.slots,
    slotsUsed: reported === 'busy' ? row.slots : row.active_count,
  });
}

/** An agent that holds all slots back cannot prove them empty, or has no room for them. */
const holdsBack = (row: WorkerStandingRow): boolean => row.slots > 0 && row.slots_usable === 0 && !row.is_paused;

/** Whoever knows the id a worker has in its own system may speak for it there: for those only who may order it about anyhow. */
export function seenBy(caller: Caller, view: WorkerView): WorkerView {
  return mayAct(caller, 'operator') ? view : { ...view, foreignId: null };
}

/** Whether it was heard within W, and whether it would be offered a job now. */
export function readinessOf(row: WorkerStandingRow, workerTimeoutMs: number): ReturnType<typeof workerReadiness> {
  return workerReadiness({
    status: standingOf(row),
    silentMs: row.silent_ms,
    workerTimeoutMs,
    takesOffers: row.takes_offers,
    slotsFree: Math.min(row.slots, row.slots_usable) - row.active_count,
  });
}

/** @param workerTimeoutMs W */
export function toWorkerView(row: ShownWorkerRow, workerTimeoutMs: number): WorkerView {
  return {
    id: row.id,
    name: row.name,
    status: standingOf(row),
    link: row.link,
    ...readinessOf(row, workerTimeoutMs),
    location: { hostname: row.inventory.hostname, address: row.address, latencyMs: row.link === 'connected' ? row.latency_ms : null },
    capability: row.capability,
    contentTypes: row.content_types,
    labels: row.labels,
    inventory: row.inventory,
    slots: row.slots,
    slotsUsed: row.active_count,
    agentVersion: row.agent_version,
    // The version of another system's program says nothing of ours.
    versionSkew: row.adapter === null ? versionSkew(row.agent_version, VERSION) : 'unknown',
    owner: row.owner,
    keyId: row.key_id,
    sample: row.sample,
    ...ordersOf(row),
    registeredAt: row.registered_at.toISOString(),
    lastBeatAt: row.last_beat_at?.toISOString() ?? null,
    removedAt: row.removed_at?.toISOString() ?? null,
    counters: {
      active: row.active_count,
      completed: row.completed_count,
      failed: row.failed_count,
      averageSeconds: row.completed_count === 0 ? null : row.run_seconds_total / row.completed_count,
    },
    adapter: row.adapter,
    foreignId: row.foreign_id,
    features: row.features,
    load: row.load,
    metrics: row.metrics,
    reportedStatus: row.reported_status,
  };
}
