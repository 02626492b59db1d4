/** Rows as PostgreSQL answers them, and the facts they say. The one place where columns become facts. */
import type { AttemptFacts, JobFacts, WorkerFacts } from '@muster/domain';
import type { AttemptId } from '@muster/protocol';

interface Timed { not_before: Date | null; queue_until: Date | null; created_at: Date; started_at: Date | null; finished_at: Date | null }
export interface JobRow extends Timed, Omit<JobFacts, 'reasonDetail' | 'attemptCount' | 'currentAttemptId' | 'lossesWhileRunning' | 'notBeforeMs' | 'queueUntilMs' | 'createdMs' | 'startedMs' | 'finishedMs'> {
  reason_detail: string | null;
  attempt_count: number;
  current_attempt_id: AttemptId | null;
  losses_while_running: number;
}
export interface AttemptRow extends Omit<AttemptFacts, 'jobId' | 'workerId' | 'leaseUntilMs' | 'offeredMs' | 'startedMs' | 'endedMs' | 'logId' | 'grantedSession'> {
  job_id: AttemptFacts['jobId'];
  worker_id: AttemptFacts['workerId'];
  lease_until: Date | null;
  offered_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
  log_id: AttemptId;
  granted_session: number | null;
}
export interface WorkerRow extends Omit<WorkerFacts, 'instanceId' | 'slotsUsable' | 'slotsOrdered' | 'slotsSaid' | 'gpusHeld' | 'isPaused' | 'lastBeatMs' | 'isFenced' | 'isRemoved'> {
  instance_id: string | null;
  slots_usable: number;
  slots_ordered: number | null;
  slots_said: number | null;
  gpus_held: readonly number[];
  is_paused: boolean;
  is_fenced: boolean;
  last_beat_at: Date | null;
  removed_at: Date | null;
}

const toMs = (at: Date | null): number | null => at && at.getTime();

export function toJobFacts(row: JobRow): JobFacts {
  return {
    id: row.id,
    owner: row.owner,
    spec: row.spec,
    status: row.status,
    desired: row.desired,
    force: row.force,
    reason: row.reason,
    reasonDetail: row.reason_detail,
    priority: row.priority,
    epoch: row.epoch,
    attemptCount: row.attempt_count,
    currentAttemptId: row.current_attempt_id,
    failures: row.failures,
    losses: row.losses,
    refusals: row.refusals,
    lossesWhileRunning: row.losses_while_running,
    notBeforeMs: toMs(row.not_before),
    queueUntilMs: toMs(row.queue_until),
    createdMs: row.created_at.getTime(),
    startedMs: toMs(row.started_at),
    finishedMs: toMs(row.finished_at),
    exit: row.exit,
  };
}

export function toAttemptFacts(row: AttemptRow): AttemptFacts {
  return {
    id: row.id,
    jobId: row.job_id,
    workerId: row.worker_id,
    number: row.number,
    epoch: row.epoch,
    state: row.state,
    outcome: row.outcome,
    exit: row.exit,
    detail: row.detail,
    gpus: row.gpus,
    leaseUntilMs: toMs(row.lease_until),
    offeredMs: row.offered_at.getTime(),
    startedMs: toMs(row.started_at),
    endedMs: toMs(row.ended_at),
    containment: row.containment,
    usage: row.usage,
    leftovers: row.leftovers,
    logId: row.log_id,
    proofs: row.proofs,
    grantedSession: row.granted_session,
  };
}

export function toWorkerFacts(row: WorkerRow): WorkerFacts {
  return {
    id: row.id,
    name: row.name,
    owner: row.owner,
    session: row.session,
    instanceId: row.instance_id,
    slots: row.slots,
    slotsUsable: row.slots_usable,
    slotsOrdered: row.slots_ordered,
    slotsSaid: row.slots_said,
    gpusHeld: row.gpus_held,
    isPaused: row.is_paused,
    maintenance: row.maintenance,
    link: row.link,
    lastBeatMs: toMs(row.last_beat_at),
    isFenced: row.is_fenced,
    isRemoved: row.removed_at !== null,
  };
}
