/** The one truth: rows, their logs, and a clock. A transaction is atomic; the database can be away and its clock can step. */
import type { AttemptFacts, ClaimInput, JobFacts, ReplyOf, ServerCommand, ServerContext, ServerDecision, Slice, WorkerFacts } from '@muster/domain';
import type { AttemptId, AttemptRef, LogAck, WorkerId } from '@muster/protocol';
import type { Before } from '../invariants/transactions.js';
import { Violation } from '../invariants/violation.js';
import { Tables, add, pick } from './tables.js';
import type { World } from './world.js';

const EPOCH_1970_MS = 1_700_000_000_000;

/** A decision that was made from rows as they were, and not yet stored. */
export interface Undone<Reply> {
  readonly slice: Slice;
  readonly decision: ServerDecision<Reply>;
}

export class Database {
  isUp = true;
  clockOffsetMs = 0;
  readonly tables = new Tables();
  /** Raw bytes stored per log. */
  readonly logs = new Map<AttemptId, number>();
  private idsMade = 1_000_000;
  /** The newest claim that found nothing: asked again of the same rows it finds nothing again. */
  private unanswered = '';

  constructor(private readonly world: World) {}

  get nowMs(): number {
    return EPOCH_1970_MS + Math.floor(this.world.nowMs + this.clockOffsetMs);
  }

  insertJob(job: JobFacts): void {
    this.tables.putJob(job);
    this.world.recorder?.step({ kind: 'insertJob', job });
  }

  insertWorker(worker: WorkerFacts): void {
    this.world.recorder?.worker(worker);
    this.tables.putWorker(worker);
  }

  /** Runs one command in a transaction of its own; undefined when the database is away. */
  transact<Command extends ServerCommand>(command: Command): ServerDecision<ReplyOf<Command>> | undefined {
    if (!this.isUp) return undefined;
    const slice = this.load(command);
    const context = this.context('executions' in command ? command.executions.length : 0);
    const decision = this.world.reducers.serverStep(slice, command, context);
    this.world.auditor.answered(command, slice, decision);
    this.store(slice, decision, slice);
    this.world.recorder?.step({ kind: 'command', command, slice, context, decision });
    return decision;
  }

  /** The wrong way to do it: decide now, store at some later time what was decided. */
  decideOnly<Command extends ServerCommand>(command: Command): Undone<ReplyOf<Command>> {
    const slice = this.load(command);
    return { slice, decision: this.world.reducers.serverStep(slice, command, this.context(0)) };
  }

  storeLate({ slice, decision }: Undone<unknown>): void {
    if (!this.isUp) return;
    const { jobs, attempts } = this.tables;
    const before = { jobs: pick(jobs, decision.jobs.map((row) => row.id)), attempts: pick(attempts, decision.attempts.map((row) => row.id)) };
    this.store(slice, decision as ServerDecision, before);
  }

  /** Undefined when the database is away, or when nobody waits. */
  claim(input: Pick<ClaimInput, 'profiles' | 'asked'>): ServerDecision | undefined {
    if (!this.isUp || this.tables.queued.size === 0) return undefined;
    const { nowMs, tables } = this;
    const candidates = [...tables.queued].filter((id) => (tables.jobs.get(id)?.notBeforeMs ?? 0) <= nowMs);
    const question = `${tables.version} ${candidates.join(' ')} ${[...input.profiles.keys()].join(' ')} ${[...(input.asked ?? [])].join(' ')}`;
    if (candidates.length === 0 || question === this.unanswered) return undefined;
    const attempts = new Map<AttemptId, AttemptFacts>();
    const jobIds = new Set(candidates);
    for (const workerId of input.profiles.keys()) {
      for (const attempt of tables.liveOf(workerId)) {
        attempts.set(attempt.id, attempt);
        jobIds.add(attempt.jobId);
      }
    }
    const slice: Slice = { jobs: pick(tables.jobs, jobIds), attempts, workers: pick(tables.workers, input.profiles.keys()) };
    const context = this.context(candidates.length);
    const claim: ClaimInput = { ...input, candidates, activeByOwner: tables.activeByOwner() };
    const decision = this.world.reducers.decideClaim(slice, claim, context);
    for (const [workerId, count] of input.asked ?? []) {
      const granted = decision.attempts.filter((attempt) => attempt.workerId === workerId).length;
      if (granted > count) throw new Violation('I18 no more than was asked for', `${workerId}: ${granted} of ${count}`);
    }
    this.store(slice, decision, slice);
    if (decision.attempts.length === 0) this.unanswered = question;
    this.world.recorder?.step({ kind: 'claim', input: claim, slice, context, decision });
    return decision;
  }

  /** Stores bytes iff they are the next ones; whose epoch it was does not matter for a log, only whose worker. */
  append(workerId: WorkerId, ref: AttemptRef, chunk: { readonly offset: number; readonly rawLength: number }): LogAck | undefined {
    if (!this.isUp) return undefined;
    const attempt = this.tables.attempts.get(ref.attemptId);
    if (attempt === undefined || attempt.workerId !== workerId) return { gone: true };
    const stored = this.logs.get(attempt.logId) ?? 0;
    const verdict = this.world.reducers.onLogChunk(stored, chunk);
    if (verdict.store && chunk.offset !== stored) throw new Violation('I6 log', `${attempt.logId}: bytes from ${chunk.offset} stored at ${stored}`);
    if (verdict.store) this.logs.set(attempt.logId, verdict.storedLength);
    else this.world.count('log bytes repeated');
    const ack = { storedLength: verdict.storedLength };
    this.world.recorder?.step({ kind: 'log', workerId, ref, chunk, ack });
    return ack;
  }

  /** Exactly the rows the command asked for: one that needs more would fail here as it would in the product. */
  private load(command: ServerCommand): Slice {
    const { tables } = this;
    const needed = this.world.reducers.factsNeeded(command);
    const attempts = pick(tables.attempts, needed.attemptIds);
    for (const workerId of needed.liveOfWorkers) for (const attempt of tables.liveOf(workerId)) attempts.set(attempt.id, attempt);
    for (const jobId of needed.currentOfJobs) {
      const current = tables.jobs.get(jobId)?.currentAttemptId;
      if (current != null) add(attempts, tables.attempts, current);
    }
    for (const id of needed.newestOfAttempts) {
      const jobId = tables.attempts.get(id)?.jobId;
      const newest = jobId === undefined ? undefined : tables.attemptsOf(jobId).at(-1);
      if (newest !== undefined) attempts.set(newest.id, newest);
    }
    const [jobs, workers] = [pick(tables.jobs, needed.jobIds), pick(tables.workers, needed.workerIds)];
    for (const attempt of attempts.values()) {
      add(jobs, tables.jobs, attempt.jobId);
      add(workers, tables.workers, attempt.workerId);
    }
    return { jobs, attempts, workers };
  }

  /** @param before the rows that the decision changes, as they stand */
  private store(slice: Slice, decision: ServerDecision, before: Before): void {
    const { jobs, attempts, workers } = decision;
    for (const job of jobs) if (!slice.jobs.has(job.id)) throw new Violation('only locked rows change', job.id);
    for (const attempt of attempts) {
      if (!slice.attempts.has(attempt.id) && this.tables.attempts.has(attempt.id)) throw new Violation('only locked rows change', attempt.id);
    }
    for (const job of jobs) this.tables.putJob(job);
    for (const worker of workers) this.tables.putWorker(worker);
    for (const attempt of attempts) this.tables.putAttempt(attempt);
    this.world.auditor.committed(before, decision, this.nowMs);
  }

  private context(idCount: number): ServerContext {
    const { workerTimeoutMs, beatIntervalMs, offerTtlMs } = this.world.settings;
    const newAttemptIds: AttemptId[] = [];
    for (let count = 0; count < idCount; count++) newAttemptIds.push(`att_${++this.idsMade}` as AttemptId);
    return { nowMs: this.nowMs, workerTimeoutMs, beatIntervalMs, offerTtlMs, newAttemptIds, jitter: this.world.random.next() };
  }
}
