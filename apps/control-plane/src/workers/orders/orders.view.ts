import type { Maintenance } from '@muster/domain';
import { WORKER_OVERRIDES } from '@muster/protocol';
import type { Capability, DrainView, WorkerOverride, WorkerSaid, WorkerView } from '@muster/protocol';

/** What people ordered for a worker, and what it is by its own words. */
export interface OrderedWorkerRow {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly content_types: readonly string[];
  readonly capability: Capability;
  readonly slots: number;
  readonly slots_ordered: number | null;
  readonly slots_said: number | null;
  readonly maintenance: Maintenance | null;
  readonly overrides: Partial<Omit<WorkerSaid, 'slots'>>;
  readonly said: Omit<WorkerSaid, 'slots'> | null;
  readonly active_count: number;
}

export function ordersOf(row: OrderedWorkerRow): Pick<WorkerView, 'maintenance' | 'drain' | 'overridden' | 'said'> {
  const { maintenance } = row;
  const set: Partial<Record<WorkerOverride, unknown>> = { ...row.overrides, slots: row.slots_ordered ?? undefined };
  const said = row.said ?? { name: row.name, labels: row.labels, contentTypes: row.content_types, capability: row.capability };
  return {
    maintenance: maintenance && { reason: maintenance.reason, by: maintenance.by, since: toText(maintenance.startedMs) },
    drain: maintenance?.kind === 'drain' ? toDrainView(maintenance, row.active_count) : null,
    overridden: WORKER_OVERRIDES.filter((name) => set[name] !== undefined),
    said: { ...said, slots: row.slots_said ?? row.slots },
  };
}

function toDrainView(drain: Extract<Maintenance, { kind: 'drain' }>, jobsLeft: number): DrainView {
  const { policy, reason, by, startedMs, deadlineMs, isOverdue, jobsAtStart, drainedMs } = drain;
  return {
    policy,
    reason,
    by,
    startedAt: toText(startedMs),
    deadlineAt: deadlineMs === null ? null : toText(deadlineMs),
    isOverdue,
    jobsAtStart,
    jobsLeft,
    state: drainedMs === null ? 'draining' : 'drained',
    drainedAt: drainedMs === null ? null : toText(drainedMs),
  };
}

function toText(ms: number): string {
  return new Date(ms).toISOString();
}
