/**
 * A decision in the making: the slice with the changes made so far on top. Every move of a job or an attempt goes through
 * here, is checked against the transition tables, and leaves its notices; so no command can forget either.
 */
import type { AttemptId, JobId, WorkerId } from '@muster/protocol';
import { isLive, mayAttemptMove } from '../attempt-lifecycle.js';
import type { AttemptFacts, JobFacts, WorkerFacts } from '../facts.js';
import { mayJobMove } from '../job-lifecycle.js';
import type { Slice } from '../slice.js';
import type { ServerContext } from './commands.js';
import type { NewEvent, Notice, ServerDecision } from './decision.js';

type EventDetails = Partial<Omit<NewEvent, 'type' | 'jobId'>>;

export class Draft {
  private readonly jobs = new Map<JobId, JobFacts>();
  private readonly attempts = new Map<AttemptId, AttemptFacts>();
  private readonly workers = new Map<WorkerId, WorkerFacts>();
  private readonly events: NewEvent[] = [];
  private readonly systemLines: { logId: AttemptId; text: string }[] = [];
  private readonly results: { jobId: JobId; value: unknown }[] = [];
  private readonly notices: Notice[] = [];
  /** Made when it is first asked for: a beat asks once for each of thousands of executions. */
  private newest: Map<JobId, NumberedAttempt> | undefined;
  private idsUsed = 0;
  private wakes = false;

  constructor(
    private readonly slice: Slice,
    readonly context: ServerContext,
  ) {}

  job(id: JobId): JobFacts | undefined {
    return this.jobs.get(id) ?? this.slice.jobs.get(id);
  }

  attempt(id: AttemptId): AttemptFacts | undefined {
    return this.attempts.get(id) ?? this.slice.attempts.get(id);
  }

  worker(id: WorkerId): WorkerFacts | undefined {
    return this.workers.get(id) ?? this.slice.workers.get(id);
  }

  workerName(id: WorkerId): string {
    return this.worker(id)?.name ?? id;
  }

  /** Live attempts of a worker among the loaded rows. */
  liveOf(workerId: WorkerId): AttemptFacts[] {
    return this.attemptsWhere((attempt) => attempt.workerId === workerId && isLive(attempt));
  }

  /** The newest attempt of a job among the loaded rows. */
  newestOf(jobId: JobId): AttemptFacts | undefined {
    this.newest ??= newestAmong(this.slice.attempts.values(), this.attempts.values());
    const id = this.newest.get(jobId)?.id;
    return id && this.attempt(id);
  }

  /** An id for a new attempt, or undefined when the context brought no more. */
  nextAttemptId(): AttemptId | undefined {
    return this.context.newAttemptIds[this.idsUsed++];
  }

  /** Stores a job's new row. A change of status must stand in the table. */
  putJob(job: JobFacts): JobFacts {
    const before = this.job(job.id);
    if (before !== undefined && before.status !== job.status && !mayJobMove(before.status, job.status)) {
      throw new Error(`Job ${job.id} is ${before.status} and cannot become ${job.status}.`);
    }
    if (before?.status !== job.status && job.status === 'queued') this.wakes = true;
    this.jobs.set(job.id, job);
    return job;
  }

  /** Stores an attempt's new row, or a new attempt. A change of state must stand in the table. */
  putAttempt(attempt: AttemptFacts): AttemptFacts {
    const before = this.attempt(attempt.id);
    const isMove = before?.state !== attempt.state || attempt.state === 'ended';
    if (isMove && !mayAttemptMove(before?.state ?? 'new', attempt.state)) {
      throw new Error(`Attempt ${attempt.id} is ${before?.state ?? 'new'} and cannot become ${attempt.state}.`);
    }
    if (isMove && attempt.state === 'ended') this.wakes = true;
    this.attempts.set(attempt.id, attempt);
    if (this.newest !== undefined) keepNewest(this.newest, attempt);
    return attempt;
  }

  putWorker(worker: WorkerFacts): WorkerFacts {
    this.workers.set(worker.id, worker);
    return worker;
  }

  /** A fact about a job; `muster` is the actor unless another is named. */
  jobEvent(type: NewEvent['type'], jobId: JobId, details: EventDetails = {}): void {
    this.events.push({ type, actor: 'muster', jobId, attemptId: null, workerId: null, data: {}, ...details });
  }

  workerEvent(type: NewEvent['type'], workerId: WorkerId, data: Readonly<Record<string, unknown>> = {}, actor = 'muster'): void {
    this.events.push({ type, actor, jobId: null, attemptId: null, workerId, data });
  }

  /** A line of the control plane's own in the log of the attempt. */
  say(attempt: AttemptFacts, text: string): void {
    this.systemLines.push({ logId: attempt.logId, text });
  }

  storeResult(jobId: JobId, value: unknown): void {
    this.results.push({ jobId, value });
  }

  notify(notice: Notice): void {
    this.notices.push(notice);
  }

  private attemptsWhere(isWanted: (attempt: AttemptFacts) => boolean): AttemptFacts[] {
    const wanted: AttemptFacts[] = [];
    for (const attempt of this.slice.attempts.values()) {
      if (!this.attempts.has(attempt.id) && isWanted(attempt)) wanted.push(attempt);
    }
    for (const attempt of this.attempts.values()) if (isWanted(attempt)) wanted.push(attempt);
    return wanted;
  }

  decide<Reply>(reply: Reply): ServerDecision<Reply> {
    const changed: Notice[] = [];
    for (const job of this.jobs.values()) {
      const before = this.slice.jobs.get(job.id);
      if (before?.status !== job.status || before.reason !== job.reason || before.desired !== job.desired) changed.push({ kind: 'jobChanged', jobId: job.id, status: job.status });
    }
    return {
      reply,
      jobs: [...this.jobs.values()],
      attempts: [...this.attempts.values()],
      workers: [...this.workers.values()],
      results: this.results,
      events: this.events,
      systemLines: this.systemLines,
      notices: [...this.notices, ...changed, ...(this.wakes ? [{ kind: 'wakeDispatch' } as const] : [])],
    };
  }
}

type NumberedAttempt = Pick<AttemptFacts, 'id' | 'jobId' | 'number'>;

function newestAmong(...tables: readonly Iterable<AttemptFacts>[]): Map<JobId, NumberedAttempt> {
  const newest = new Map<JobId, NumberedAttempt>();
  for (const table of tables) for (const attempt of table) keepNewest(newest, attempt);
  return newest;
}

function keepNewest(newest: Map<JobId, NumberedAttempt>, attempt: NumberedAttempt): void {
  if (attempt.number > (newest.get(attempt.jobId)?.number ?? -1)) newest.set(attempt.jobId, attempt);
}
