/** What a training job of FineTune Lab may say of itself, and which command of ours each step is. */
import type { AttemptState, Outcome } from '@muster/protocol';

export const TRAINING_STATUSES = ['running', 'completed', 'failed', 'cancelled', 'paused'] as const;
/** What a worker may report. */
export type ReportedTraining = (typeof TRAINING_STATUSES)[number];
/** `claimed`: given to the worker, which has not said yet that it runs. */
export type TrainingStatus = ReportedTraining | 'claimed';

const TRANSITIONS: Readonly<Record<TrainingStatus, readonly ReportedTraining[]>> = {
  claimed: ['running', 'failed', 'cancelled'],
  running: ['running', 'paused', 'completed', 'failed', 'cancelled'],
  paused: ['paused', 'running', 'failed', 'cancelled'],
  completed: ['completed'],
  failed: ['failed'],
  cancelled: ['cancelled'],
};

/** The attempt speaks for the job: whether the job is tried again elsewhere is not this worker's. */
export function trainingStatusOf(attempt: { readonly state: AttemptState; readonly outcome: Outcome | null }): TrainingStatus {
  if (attempt.state === 'offered') return 'claimed';
  if (attempt.state === 'paused') return 'paused';
  if (attempt.state !== 'ended') return 'running';
  if (attempt.outcome === 'succeeded') return 'completed';
  // Its worker knows no other word for what a drain made it stop.
  return attempt.outcome === 'cancelled' || attempt.outcome === 'stopped' ? 'cancelled' : 'failed';
}

export function mayReport(from: TrainingStatus, to: ReportedTraining): boolean {
  return TRANSITIONS[from].includes(to);
}

/** True for a status that nothing leaves. */
export function isFinalTraining(status: TrainingStatus): status is keyof typeof OUTCOMES {
  return status in OUTCOMES;
}

/** How the attempt ended where the job says so. */
export const OUTCOMES = { completed: 'succeeded', failed: 'failed', cancelled: 'cancelled' } as const satisfies Partial<Record<TrainingStatus, Outcome>>;
