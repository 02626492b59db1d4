/** What people want of a started attempt, as an order to its agent and as the reason that is shown meanwhile. */
import type { AttemptCommand, ExecutionState, JobReason } from '@muster/protocol';
import type { JobFacts, WorkerFacts } from '../facts.js';
import { mustLeave } from './maintenance.js';

/** Said with every renewal until it shows; null when all is as it should be. A process that is gone is told nothing. */
export function orderFor(worker: Pick<WorkerFacts, 'maintenance'>, job: JobFacts, state: ExecutionState): AttemptCommand | null {
  if (state === 'exited') return null;
  const { graceSeconds } = job.spec;
  if (job.desired !== 'cancel' && mustLeave(worker, job)) return { kind: 'stop', graceSeconds, reason: 'cancelled', isPlanned: true };
  switch (job.desired) {
    case 'cancel':
      return { kind: job.force ? 'forceStop' : 'stop', graceSeconds, reason: 'cancelled' };
    case 'pause':
      return state === 'paused' ? null : { kind: 'freeze', graceSeconds, reason: 'paused' };
    case 'run':
      return state === 'paused' ? { kind: 'thaw', graceSeconds, reason: 'resumed' } : null;
  }
}

/** How far it is, by what its agent says and what people want; a wish to cancel is shown elsewhere and stands above this. */
export function shownReason(job: JobFacts, state: ExecutionState): JobReason {
  switch (state) {
    case 'exited':
      return job.status === 'paused' ? 'frozen' : 'running';
    case 'paused':
      return job.desired === 'run' ? 'resuming' : 'frozen';
    case 'accepted':
      return job.desired === 'pause' ? 'pausing' : 'starting';
    case 'running':
      return job.desired === 'pause' ? 'pausing' : 'running';
  }
}
