/** What the database should hold: the same rows in memory, moved by the reducers alone. */
import {
  applyDecision, decideClaim, onLogChunk, serverStep, type NewEvent, type ReplyOf, type ServerCommand, type ServerContext, type ServerDecision,
  type Slice, type WorkerProfile,
} from '@muster/domain';
import type { AttemptId, JobId, LogAck, WorkerId } from '@muster/protocol';

export class Model {
  readonly logs = new Map<AttemptId, number>();
  readonly events: NewEvent[] = [];
  readonly results = new Map<JobId, unknown>();
  /** What the control plane itself wrote into each log. */
  readonly systemTexts = new Map<AttemptId, string>();

  constructor(private rows: Slice) {}

  get slice(): Slice {
    return this.rows;
  }

  insert(rows: Partial<Slice>): void {
    this.rows = {
      jobs: new Map([...this.rows.jobs, ...(rows.jobs ?? [])]),
      attempts: new Map([...this.rows.attempts, ...(rows.attempts ?? [])]),
      workers: new Map([...this.rows.workers, ...(rows.workers ?? [])]),
    };
  }

  /** Decides from all rows there are: whatever the product loads must suffice for the same decision. */
  decide<Command extends ServerCommand>(command: Command, context: ServerContext): ServerDecision<ReplyOf<Command>> {
    const decision = serverStep(this.rows, command, context);
    this.take(decision);
    return decision;
  }

  /** Every job whose pause is over stands in line again. */
  endPauses(nowMs: number): void {
    const over = [...this.rows.jobs.values()].filter((job) => job.status === 'queued' && job.notBeforeMs !== null && job.notBeforeMs <= nowMs);
    this.insert({ jobs: new Map(over.map((job) => [job.id, { ...job, notBeforeMs: null }])) });
  }

  claim(profiles: ReadonlyMap<WorkerId, WorkerProfile>, context: ServerContext): ServerDecision {
    const candidates = [...this.rows.jobs.values()].filter((job) => job.status === 'queued').map((job) => job.id);
    const activeByOwner = new Map<string, number>();
    for (const job of this.rows.jobs.values()) {
      if (job.currentAttemptId !== null) activeByOwner.set(job.owner, (activeByOwner.get(job.owner) ?? 0) + 1);
    }
    const decision = decideClaim(this.rows, { candidates, profiles, activeByOwner }, context);
    this.take(decision);
    return decision;
  }

  append(workerId: WorkerId, attemptId: AttemptId, chunk: { readonly offset: number; readonly rawLength: number }): LogAck {
    const attempt = this.rows.attempts.get(attemptId);
    if (attempt === undefined || attempt.workerId !== workerId) return { gone: true };
    const verdict = onLogChunk(this.logs.get(attempt.logId) ?? 0, chunk);
    this.logs.set(attempt.logId, verdict.storedLength);
    return { storedLength: verdict.storedLength };
  }

  private take(decision: ServerDecision): void {
    const { attempts, ...rest } = applyDecision(this.rows, decision);
    // In the order of their ids, as PostgreSQL answers them: what is said of several at once comes in that order.
    this.rows = { ...rest, attempts: new Map([...attempts].sort(([left], [right]) => (left < right ? -1 : 1))) };
    this.events.push(...decision.events);
    for (const { jobId, value } of decision.results) this.results.set(jobId, value);
    for (const { logId, text } of decision.systemLines) this.systemTexts.set(logId, `${this.systemTexts.get(logId) ?? ''}${text}\n`);
  }
}
