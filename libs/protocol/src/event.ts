import type { AttemptId, EventId, JobId, WorkerId } from './ids.js';

/** Facts, noun first and past tense; append-only. */
export const EVENT_TYPES = [
  'job.queued', 'job.offered', 'job.refused', 'job.started', 'job.requeued', 'job.cancelRequested', 'job.completed',
  'job.failed', 'job.cancelled', 'job.waiting', 'job.reclaimed', 'job.pauseRequested', 'job.paused', 'job.resumeRequested', 'job.resumed',
  'worker.registered', 'worker.connected', 'worker.suspect', 'worker.unreachable', 'worker.superseded', 'worker.changed', 'worker.faultAppeared', 'worker.faultCleared', 'worker.fenced',
  'worker.cordoned', 'worker.drainStarted', 'worker.drainDeadline', 'worker.drained', 'worker.undrained', 'worker.removed',
  'key.created', 'key.rotated', 'key.revoked', 'enrolmentToken.created', 'enrolmentToken.used', 'enrolmentToken.revoked',
  'alert.massSilence', 'alert.drainOverdue',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Something that happened: what, when, who, why. */
export interface EventView {
  readonly id: EventId;
  /** Grows by commit order well enough to page by; not dense. */
  readonly seq: number;
  readonly type: EventType;
  readonly at: string;
  /** Name of the key's owner, `worker <name>`, or `muster` for its own decisions. */
  readonly actor: string;
  readonly jobId: JobId | null;
  readonly attemptId: AttemptId | null;
  readonly workerId: WorkerId | null;
  readonly data: Readonly<Record<string, unknown>>;
}
