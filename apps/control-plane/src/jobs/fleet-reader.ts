import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import { AHEAD_MAX, explain } from '@muster/domain';
import type { ExplainedWorker, Explanation, JobFacts } from '@muster/domain';
import type { JobNeeds, JobId, WorkerId, WorkerStatus } from '@muster/protocol';
import { Announcements } from '../announcements.js';
import { Database } from '../database/database.js';
import { toWorkerFacts } from '../engine/fact-rows.js';
import { toWorkerProfile, type ProfiledWorkerRow } from '../engine/worker-profile.js';
import { FLEET_HELD, FLEET_WORKERS, JOBS_AHEAD } from './fleet.sql.js';

interface FleetRow extends ProfiledWorkerRow {
  readonly has_to_ask: boolean;
  readonly reported_status: WorkerStatus | null;
}

interface HeldRow {
  readonly worker_id: WorkerId;
  readonly needs: JobNeeds;
  readonly gpus: readonly number[];
}

/** How long one look at the fleet serves: a list that is polled by many costs one look. */
const LOOK_MS = 250;
/**
 * The same for the answer to a submission, which is given once and before the job could be dispatched. Who is connected
 * and what a worker is are news at once; only how full they are may be as old as this.
 */
const LOOK_AT_SUBMIT_MS = 1_000;

/** Why queued jobs wait, by the very functions that dispatch them. */
@Injectable()
export class FleetReader implements OnModuleDestroy {
  private look: { readonly workers: Promise<ExplainedWorker[]>; readonly atMs: number } | undefined;
  private readonly stopListening: () => void;

  constructor(
    private readonly database: Database,
    announcements: Announcements,
  ) {
    this.stopListening = announcements.on('worker:changed', () => (this.look = undefined));
  }

  onModuleDestroy(): void {
    this.stopListening();
  }

  /** One explanation for each job, all from one look at the fleet. */
  async explainAll(jobs: readonly JobFacts[]): Promise<ReadonlyMap<JobId, Explanation>> {
    if (jobs.length === 0) return new Map();
    const workers = await this.workers(LOOK_MS);
    const nowMs = Date.now();
    const alone = new Map(jobs.map((job) => [job.id, explain(job, workers, 0, nowMs)]));
    // Who goes first matters only where a worker is free; counting it is dear where thousands wait.
    const waiting = jobs.filter((job) => alone.get(job.id)?.reason === 'waiting');
    if (waiting.length === 0) return alone;
    const ahead = await this.ahead(waiting);
    return new Map([...alone, ...waiting.map((job) => [job.id, explain(job, workers, ahead.get(job.id) ?? 0, nowMs)] as const)]);
  }

  /** The same for jobs that have just come in line, without a look at who else is there: the dispatcher looks at this moment. */
  async explainNew(jobs: readonly JobFacts[]): Promise<ReadonlyMap<JobId, Explanation>> {
    const workers = await this.workers(LOOK_AT_SUBMIT_MS);
    const nowMs = Date.now();
    return new Map(jobs.map((job) => [job.id, explain(job, workers, 0, nowMs)]));
  }

  private workers(ageMsMax: number): Promise<ExplainedWorker[]> {
    const nowMs = performance.now();
    if (this.look !== undefined && nowMs - this.look.atMs < ageMsMax) return this.look.workers;
    const workers = this.readWorkers();
    this.look = { workers, atMs: nowMs };
    // A look that failed serves only those who waited for it.
    workers.catch(() => (this.look = undefined));
    return workers;
  }

  private async readWorkers(): Promise<ExplainedWorker[]> {
    const [rows, held] = await Promise.all([
      this.database.query<FleetRow>(FLEET_WORKERS),
      this.database.query<HeldRow>(FLEET_HELD),
    ]);
    const heldBy = new Map<WorkerId, HeldRow[]>();
    for (const one of held) heldBy.set(one.worker_id, [...(heldBy.get(one.worker_id) ?? []), one]);
    return rows.map((row) => ({
      worker: toWorkerFacts(row),
      profile: toWorkerProfile(row),
      held: heldBy.get(row.id) ?? [],
      hasToAsk: row.has_to_ask,
      reportedStatus: row.reported_status,
    }));
  }

  private async ahead(jobs: readonly JobFacts[]): Promise<ReadonlyMap<JobId, number>> {
    const rows = await this.database.query<{ id: JobId; ahead: number }>(JOBS_AHEAD, [jobs.map((job) => job.id), AHEAD_MAX]);
    return new Map(rows.map((row) => [row.id, row.ahead]));
  }
}
