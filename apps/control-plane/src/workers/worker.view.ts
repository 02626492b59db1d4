import { workerStatus } from '@muster/domain';
import type { Capability, Inventory, KeyId, WorkerId, WorkerLink, WorkerSample, WorkerStatus, WorkerView } from '@muster/protocol';

/** What the shown status is made of. */
export interface WorkerStandingRow {
  readonly capability: Capability;
  readonly slots: number;
  readonly slots_usable: number;
  readonly is_paused: boolean;
  readonly link: WorkerLink;
  /** Its agent's last sample tells of a fault. */
  readonly has_faults: boolean;
  readonly active_count: number;
}

export interface ShownWorkerRow extends WorkerStandingRow {
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
  readonly completed_count: number;
  readonly failed_count: number;
  readonly run_seconds_total: number;
}

export function standingOf(row: WorkerStandingRow): WorkerStatus {
  return workerStatus({
    link: row.link,
    // Ordered by people; this version has no such order yet.
    isInMaintenance: false,
    hasError: row.link === 'connected' && (row.has_faults || holdsBack(row)),
    slots: row.slots,
    slotsUsed: row.active_count,
  });
}

/** An agent that holds all slots back cannot prove them empty, or has no room for them. */
const holdsBack = (row: WorkerStandingRow): boolean => row.slots > 0 && row.slots_usable === 0 && !row.is_paused;

export function toWorkerView(row: ShownWorkerRow): WorkerView {
  return {
    id: row.id,
    name: row.name,
    status: standingOf(row),
    link: row.link,
    capability: row.capability,
    contentTypes: row.content_types,
    labels: row.labels,
    inventory: row.inventory,
    slots: row.slots,
    slotsUsed: row.active_count,
    agentVersion: row.agent_version,
    owner: row.owner,
    keyId: row.key_id,
    sample: row.sample,
    registeredAt: row.registered_at.toISOString(),
    lastBeatAt: row.last_beat_at?.toISOString() ?? null,
    counters: {
      active: row.active_count,
      completed: row.completed_count,
      failed: row.failed_count,
      averageSeconds: row.completed_count === 0 ? null : row.run_seconds_total / row.completed_count,
    },
  };
}
