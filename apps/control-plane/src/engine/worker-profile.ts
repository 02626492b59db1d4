import type { WorkerProfile } from '@muster/domain';
import type { Capability, Inventory } from '@muster/protocol';
import type { WorkerRow } from './fact-rows.js';

/** Columns that matching compares. */
export interface ProfileRow extends Pick<WorkerRow, 'id' | 'name'> {
  readonly capability: Capability;
  readonly content_types: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** What the agent said at its last hello; an older agent may have said less. */
  readonly inventory: Partial<Inventory>;
}

export type ProfiledWorkerRow = WorkerRow & ProfileRow;

/** What dispatch and explain match jobs against; of what an agent did not say it has nothing. */
export function toWorkerProfile(row: ProfileRow): WorkerProfile {
  const { inventory } = row;
  return {
    name: row.name,
    capability: row.capability,
    contentTypes: row.content_types,
    labels: row.labels,
    cpuCores: inventory.cpuCores ?? 0,
    memoryMb: inventory.memoryMb ?? 0,
    gpus: inventory.gpus ?? [],
    containment: inventory.containment?.available ?? [],
    runKinds: inventory.runKinds ?? [],
  };
}
