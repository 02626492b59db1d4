/**
 * The slice: the locked rows one command is about, and nothing else. The shell loads what `factsNeeded` names, the
 * reducer reads and returns whole changed rows, and `SliceInProgress` lets several commands of one batch see each other.
 */
import type { AttemptId, JobId, WorkerId } from '@muster/protocol';
import type { AttemptFacts, JobFacts, WorkerFacts } from './facts.js';
import type { ServerDecision } from './server/decision.js';
import type { ServerCommand } from './server/commands.js';

export interface Slice {
  readonly jobs: ReadonlyMap<JobId, JobFacts>;
  readonly attempts: ReadonlyMap<AttemptId, AttemptFacts>;
  readonly workers: ReadonlyMap<WorkerId, WorkerFacts>;
}

/**
 * Which rows a command needs, before any was read. The job of every attempt that is loaded is loaded too. Rows that do
 * not exist are simply absent from the slice; the reducer answers for them.
 */
export interface FactsNeeded {
  readonly jobIds: readonly JobId[];
  readonly attemptIds: readonly AttemptId[];
  readonly workerIds: readonly WorkerId[];
  /** Also every live attempt of these workers, with its job: capacity, hello, link changes. */
  readonly liveOfWorkers: readonly WorkerId[];
  /** Also the current attempt of each of these jobs, and that attempt's worker. */
  readonly currentOfJobs: readonly JobId[];
  /**
   * Also the jobs of these attempts, and of each such job its newest attempt (highest number, ended or not): it may go on
   * with the same process.
   */
  readonly newestOfAttempts: readonly AttemptId[];
}

const NOTHING: FactsNeeded = {
  jobIds: [],
  attemptIds: [],
  workerIds: [],
  liveOfWorkers: [],
  currentOfJobs: [],
  newestOfAttempts: [],
};

/** The rows to load and lock for a command, in the order workers, jobs, attempts, each by id. */
export function factsNeeded(command: ServerCommand): FactsNeeded {
  switch (command.type) {
    case 'hello':
    case 'beat': {
      const named = command.executions.map((execution) => execution.attemptId);
      return {
        ...NOTHING,
        workerIds: [command.workerId],
        liveOfWorkers: [command.workerId],
        attemptIds: named,
        newestOfAttempts: named,
      };
    }
    case 'refuse':
      return { ...NOTHING, workerIds: [command.workerId], liveOfWorkers: [command.workerId], attemptIds: [command.attemptId] };
    case 'start':
      return { ...NOTHING, workerIds: [command.workerId], attemptIds: [command.attemptId] };
    case 'end':
      return { ...NOTHING, workerIds: [command.workerId], attemptIds: [command.attemptId], newestOfAttempts: [command.attemptId] };
    case 'cancel':
    case 'pause':
    case 'resume':
    case 'requeue':
    case 'abandon':
    case 'sweepQueued':
      return { ...NOTHING, jobIds: [command.jobId], currentOfJobs: [command.jobId] };
    case 'cordon':
    case 'drain':
    case 'undrain':
    case 'setSlots':
    case 'removeWorker':
    case 'sweepDrain':
      return { ...NOTHING, workerIds: [command.workerId], liveOfWorkers: [command.workerId] };
    case 'sweepAttempt':
      return { ...NOTHING, attemptIds: [command.attemptId] };
    case 'workerLink':
      return { ...NOTHING, workerIds: [command.workerId], liveOfWorkers: [command.workerId] };
  }
}

type Changes = Pick<ServerDecision, 'jobs' | 'attempts' | 'workers'>;

/**
 * The rows of a batch as they stand after what was decided so far: what its next command sees. One copy for the whole batch,
 * changed in place, so that a command costs what it changes and not what the batch has loaded.
 */
export class SliceInProgress implements Slice {
  readonly jobs: Map<JobId, JobFacts>;
  readonly attempts: Map<AttemptId, AttemptFacts>;
  readonly workers: Map<WorkerId, WorkerFacts>;

  /** @param loaded stays as it is */
  constructor(loaded: Slice) {
    this.jobs = new Map(loaded.jobs);
    this.attempts = new Map(loaded.attempts);
    this.workers = new Map(loaded.workers);
  }

  apply({ jobs, attempts, workers }: Changes): void {
    for (const job of jobs) this.jobs.set(job.id, job);
    for (const attempt of attempts) this.attempts.set(attempt.id, attempt);
    for (const worker of workers) this.workers.set(worker.id, worker);
  }
}

/** The slice as it stands after one decision; the one before stays as it was. */
export function applyDecision(slice: Slice, decision: Changes): Slice {
  const after = new SliceInProgress(slice);
  after.apply(decision);
  return after;
}
