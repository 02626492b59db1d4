/** The rows, with the indexes that keep one look at them from reading all. */
import { isLive } from '@muster/domain';
import type { AttemptFacts, JobFacts, WorkerFacts } from '@muster/domain';
import type { AttemptId, JobId, WorkerId } from '@muster/protocol';

export class Tables {
  readonly jobs = new Map<JobId, JobFacts>();
  readonly attempts = new Map<AttemptId, AttemptFacts>();
  readonly workers = new Map<WorkerId, WorkerFacts>();
  /** In the order of their becoming so. */
  readonly queued = new Set<JobId>();
  readonly live = new Map<AttemptId, AttemptFacts>();
  /** Grows with every change that a claim could be decided by: all but the time of a beat. */
  version = 0;
  private readonly byJob = new Map<JobId, AttemptFacts[]>();
  private finalJobs = 0;

  get areJobsFinal(): boolean {
    return this.finalJobs === this.jobs.size;
  }

  putJob(job: JobFacts): void {
    const before = this.jobs.get(job.id);
    if (job.finishedMs !== null && before?.finishedMs == null) this.finalJobs += 1;
    this.version += 1;
    this.jobs.set(job.id, job);
    if (job.status === 'queued') this.queued.add(job.id);
    else this.queued.delete(job.id);
  }

  putWorker(worker: WorkerFacts): void {
    const before = this.workers.get(worker.id);
    if (before === undefined || !isSameButForBeat(before, worker)) this.version += 1;
    this.workers.set(worker.id, worker);
  }

  putAttempt(attempt: AttemptFacts): void {
    this.version += 1;
    const siblings = this.byJob.get(attempt.jobId);
    const at = siblings?.findIndex(({ id }) => id === attempt.id) ?? -1;
    if (siblings === undefined) this.byJob.set(attempt.jobId, [attempt]);
    else if (at < 0) siblings.push(attempt);
    else siblings[at] = attempt;
    this.attempts.set(attempt.id, attempt);
    if (isLive(attempt)) this.live.set(attempt.id, attempt);
    else this.live.delete(attempt.id);
  }

  /** Oldest first. */
  attemptsOf(jobId: JobId): readonly AttemptFacts[] {
    return this.byJob.get(jobId) ?? [];
  }

  liveOf(workerId: WorkerId): AttemptFacts[] {
    const found: AttemptFacts[] = [];
    for (const attempt of this.live.values()) if (attempt.workerId === workerId) found.push(attempt);
    return found;
  }

  activeByOwner(): Map<string, number> {
    const active = new Map<string, number>();
    for (const { jobId } of this.live.values()) {
      const owner = this.jobs.get(jobId)?.owner ?? '';
      active.set(owner, (active.get(owner) ?? 0) + 1);
    }
    return active;
  }
}

export function pick<Id, Row>(rows: ReadonlyMap<Id, Row>, ids: Iterable<Id>): Map<Id, Row> {
  const picked = new Map<Id, Row>();
  for (const id of ids) add(picked, rows, id);
  return picked;
}

export function add<Id, Row>(picked: Map<Id, Row>, rows: ReadonlyMap<Id, Row>, id: Id): void {
  const row = rows.get(id);
  if (row !== undefined) picked.set(id, row);
}

function isSameButForBeat(before: WorkerFacts, after: WorkerFacts): boolean {
  for (const name of Object.keys(after) as (keyof WorkerFacts)[]) {
    const [was, is] = [before[name], after[name]];
    if (was === is || name === 'lastBeatMs') continue;
    if (typeof is !== 'object' || JSON.stringify(was) !== JSON.stringify(is)) return false;
  }
  return true;
}
