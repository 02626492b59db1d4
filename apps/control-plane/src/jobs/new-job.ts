import { ID_PREFIXES } from '@muster/protocol';
import type { JobId, JobSpec } from '@muster/protocol';
import { newId } from '../new-id.js';
import type { ShownJobRow } from './job.view.js';

/** A job that was asked for and is not stored yet. */
export interface NewJob {
  readonly id: JobId;
  readonly owner: string;
  readonly spec: JobSpec;
  readonly laneId: number;
}

/** Ids of one moment differ only by chance: sorted, the jobs of a batch run in the order they were given. */
export function newJobs(owner: string, specs: readonly JobSpec[], laneIds: readonly number[]): NewJob[] {
  const ids = specs.map(() => newId(ID_PREFIXES.job)).sort();
  return specs.map((spec, index) => ({ id: ids[index] as JobId, owner, spec, laneId: laneIds[index] as number }));
}

/** As `JOBS_ADD` takes it. */
export function toNewRecord({ id, owner, spec, laneId }: NewJob): object {
  return {
    id,
    event_id: newId(ID_PREFIXES.event),
    owner,
    name: spec.name,
    spec,
    labels: spec.labels,
    lane_id: laneId,
    priority: spec.priority,
    queue_seconds: spec.limits.queueSeconds ?? null,
  };
}

/** The row that `JOBS_ADD` made, as it is shown. */
export function toNewRow({ id, owner, spec }: NewJob, createdAt: Date): ShownJobRow {
  return {
    id,
    owner,
    name: spec.name,
    spec,
    labels: spec.labels,
    status: 'queued',
    desired: 'run',
    force: false,
    reason: 'waiting',
    reason_detail: null,
    priority: spec.priority,
    epoch: 0,
    attempt_count: 0,
    current_attempt_id: null,
    failures: 0,
    losses: 0,
    refusals: 0,
    losses_while_running: 0,
    not_before: null,
    queue_until: null,
    created_at: createdAt,
    started_at: null,
    finished_at: null,
    exit: null,
    result: null,
    progress_fraction: null,
    progress_message: null,
    progress_at: null,
    worker_id: null,
    worker_name: null,
    worker_link: null,
  };
}
