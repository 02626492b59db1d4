/** The one truth: rows, their logs, and a clock. A transaction is atomic; the database can be away and its clock can step. */
import { factsNeeded } from '@muster/domain';
import type { AttemptFacts, ClaimInput, JobFacts, ReplyOf, ServerCommand, ServerContext, ServerDecision, Slice, WorkerFacts } from '@muster/domain';
import type { AttemptId, AttemptRef, JobId, LogAck, WorkerId } from '@muster/protocol';
import { Violation, checkTransaction } from './invariants.js';
import type { World } from './world.js';

const EPOCH_1970_MS = 1_700_000_000_000;

export class Database {
  isUp = true;
  clockOffsetMs = 0;
  private jobs = new Map<JobId, JobFacts>();
  private attempts = new Map<AttemptId, AttemptFacts>();
  private workers = new Map<WorkerId, WorkerFacts>();
  private attemptsOfJob = new Map<JobId, AttemptId[]>();
  /** Raw bytes stored per log. */
  readonly logs = new Map<AttemptId, number>();
  private idsMade = 0;

  constructor(private readonly world: World) {}

  get nowMs(): number {
    return EPOCH_1970_MS + this.world.nowMs + this.clockOffsetMs;
  }

  get all(): Slice {
    return { jobs: this.jobs, attempts: this.attempts, workers: this.workers };
  }

  insertJob(job: JobFacts): void {
    this.jobs.set(job.id, job);
    this.world.recorder?.step({ kind: 'insertJob', job });
  }

  insertWorker(worker: WorkerFacts): void {
    this.world.recorder?.worker(worker);
    this.workers.set(worker.id, worker);
  }

  /** Runs one command in a transaction of its own; undefined when the database is away. */
  transact<Command extends ServerCommand>(command: Command): ServerDecision<ReplyOf<Command>> | undefined {
    if (!this.isUp) return undefined;
    const slice = this.load(command);
    const count = 'executions' in command ? command.executions.length : 0;
    const context = this.context(count);
    const decision = this.world.reducers.serverStep(slice, command, context);
    this.store(slice, decision);
    this.world.recorder?.step({ kind: 'command', command, slice, context, decision });
    return decision;
  }

  claim(input: Pick<ClaimInput, 'profiles'>): ServerDecision | undefined {
    if (!this.isUp) return undefined;
    const candidates = [...this.jobs.values()].filter((job) => job.status === 'queued' && (job.notBeforeMs ?? 0) <= this.nowMs).map((job) => job.id);
    const live = this.liveOf([...input.profiles.keys()]);
    const jobIds = new Set([...candidates, ...live.map((attempt) => attempt.jobId)]);
    const slice: Slice = {
      jobs: pick(this.jobs, jobIds),
      attempts: new Map(live.map((attempt) => [attempt.id, attempt])),
      workers: pick(this.workers, input.profiles.keys()),
    };
    const context = this.context(candidates.length);
    const claim: ClaimInput = { ...input, candidates, activeByOwner: this.activeByOwner() };
    const decision = this.world.reducers.decideClaim(slice, claim, context);
    this.store(slice, decision);
    this.world.recorder?.step({ kind: 'claim', input: claim, slice, context, decision });
    return decision;
  }

  /** Stores bytes iff they are the next ones; whose epoch it was does not matter for a log, only whose worker. */
  append(workerId: WorkerId, ref: AttemptRef, chunk: { readonly offset: number; readonly rawLength: number }): LogAck | undefined {
    if (!this.isUp) return undefined;
    const attempt = this.attempts.get(ref.attemptId);
    if (attempt === undefined || attempt.workerId !== workerId) return { gone: true };
    const stored = this.logs.get(attempt.logId) ?? 0;
    const verdict = this.world.reducers.onLogChunk(stored, chunk);
    if (verdict.store && chunk.offset !== stored) throw new Violation('I6 log', `${attempt.logId}: bytes from ${chunk.offset} stored at ${stored}`);
    if (verdict.store) this.logs.set(attempt.logId, verdict.storedLength);
    const ack = { storedLength: verdict.storedLength };
    this.world.recorder?.step({ kind: 'log', workerId, ref, chunk, ack });
    return ack;
  }

  private activeByOwner(): Map<string, number> {
    const active = new Map<string, number>();
    for (const job of this.jobs.values()) if (job.currentAttemptId !== null) active.set(job.owner, (active.get(job.owner) ?? 0) + 1);
    return active;
  }

  liveOf(workerIds: readonly WorkerId[]): AttemptFacts[] {
    return [...this.attempts.values()].filter((attempt) => attempt.state !== 'ended' && workerIds.includes(attempt.workerId));
  }

  /** Exactly the rows the command asked for: one that needs more would fail here as it would in the product. */
  private load(command: ServerCommand): Slice {
    const needed = factsNeeded(command);
    const attemptIds = new Set<AttemptId>(needed.attemptIds);
    for (const attempt of this.liveOf(needed.liveOfWorkers)) attemptIds.add(attempt.id);
    for (const jobId of needed.currentOfJobs) {
      const current = this.jobs.get(jobId)?.currentAttemptId;
      if (current != null) attemptIds.add(current);
    }
    for (const id of needed.newestOfAttempts) {
      const jobId = this.attempts.get(id)?.jobId;
      const newest = jobId === undefined ? undefined : this.attemptsOfJob.get(jobId)?.at(-1);
      if (newest !== undefined) attemptIds.add(newest);
    }
    const attempts = pick(this.attempts, attemptIds);
    const jobIds = new Set<JobId>(needed.jobIds);
    const workerIds = new Set<WorkerId>(needed.workerIds);
    for (const attempt of attempts.values()) {
      jobIds.add(attempt.jobId);
      workerIds.add(attempt.workerId);
    }
    return { jobs: pick(this.jobs, jobIds), attempts, workers: pick(this.workers, workerIds) };
  }

  private store(slice: Slice, decision: ServerDecision): void {
    const { jobs, attempts, workers } = decision;
    const before: Slice = {
      jobs: pick(this.jobs, jobs.map((row) => row.id)),
      attempts: pick(this.attempts, attempts.map((row) => row.id)),
      workers: pick(this.workers, workers.map((row) => row.id)),
    };
    const isUnlocked = [...before.jobs.keys()].some((id) => !slice.jobs.has(id)) || [...before.attempts.keys()].some((id) => !slice.attempts.has(id));
    if (isUnlocked) throw new Violation('only locked rows change', JSON.stringify(decision.reply));
    for (const job of jobs) this.jobs.set(job.id, job);
    for (const worker of workers) this.workers.set(worker.id, worker);
    for (const attempt of attempts) {
      if (!this.attempts.has(attempt.id)) this.attemptsOfJob.set(attempt.jobId, [...(this.attemptsOfJob.get(attempt.jobId) ?? []), attempt.id]);
      this.attempts.set(attempt.id, attempt);
    }
    checkTransaction(before, this.all, decision, (jobId) => (this.attemptsOfJob.get(jobId) ?? []).flatMap((id) => this.attempts.get(id) ?? []));
    this.world.observe(decision);
  }

  private context(idCount: number): ServerContext {
    const { workerTimeoutMs, beatIntervalMs, offerTtlMs } = this.world.settings;
    const newAttemptIds = Array.from({ length: idCount }, () => `att_${String(++this.idsMade).padStart(6, '0')}` as AttemptId);
    return { nowMs: this.nowMs, workerTimeoutMs, beatIntervalMs, offerTtlMs, newAttemptIds, jitter: this.world.random.next() };
  }
}

function pick<Id, Row>(rows: ReadonlyMap<Id, Row>, ids: Iterable<Id>): Map<Id, Row> {
  const picked = new Map<Id, Row>();
  for (const id of ids) {
    const row = rows.get(id);
    if (row !== undefined) picked.set(id, row);
  }
  return picked;
}
