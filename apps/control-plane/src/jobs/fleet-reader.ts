import { Injectable } from '@nestjs/common';
import { explain } from '@muster/domain';
import type { ExplainedWorker, Explanation, JobFacts, WorkerProfile } from '@muster/domain';
import type { Capability, Inventory, JobNeeds, JobId, WorkerId } from '@muster/protocol';
import { Database } from '../database/database.js';
import { toWorkerFacts } from '../engine/fact-rows.js';
import type { WorkerRow } from '../engine/fact-rows.js';
import { FLEET_HELD, FLEET_WORKERS, JOBS_AHEAD } from './fleet.sql.js';

interface ProfiledRow extends WorkerRow {
  readonly capability: Capability;
  readonly content_types: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly inventory: Inventory;
}
interface HeldRow {
  readonly worker_id: WorkerId;
  readonly needs: JobNeeds;
  readonly gpus: readonly number[];
}

/** Why queued jobs wait, by the very functions that dispatch them. */
@Injectable()
export class FleetReader {
  constructor(private readonly database: Database) {}

  /** One explanation for each job, all from one look at the fleet. */
  async explainAll(jobs: readonly JobFacts[]): Promise<ReadonlyMap<JobId, Explanation>> {
    if (jobs.length === 0) return new Map();
    const [workers, ahead] = await Promise.all([this.workers(), this.ahead(jobs)]);
    const nowMs = Date.now();
    return new Map(jobs.map((job) => [job.id, explain(job, workers, ahead.get(job.id) ?? 0, nowMs)]));
  }

  private async workers(): Promise<ExplainedWorker[]> {
    const [rows, held] = await Promise.all([
      this.database.query<ProfiledRow>(FLEET_WORKERS),
      this.database.query<HeldRow>(FLEET_HELD),
    ]);
    return rows.map((row) => ({
      worker: toWorkerFacts(row),
      profile: toProfile(row),
      held: held.filter((one) => one.worker_id === row.id),
    }));
  }

  private async ahead(jobs: readonly JobFacts[]): Promise<ReadonlyMap<JobId, number>> {
    const rows = await this.database.query<{ id: JobId; ahead: number }>(JOBS_AHEAD, [jobs.map((job) => job.id)]);
    return new Map(rows.map((row) => [row.id, row.ahead]));
  }
}

function toProfile(row: ProfiledRow): WorkerProfile {
  const { inventory } = row;
  return {
    name: row.name,
    capability: row.capability,
    contentTypes: row.content_types,
    labels: row.labels,
    cpuCores: inventory.cpuCores ?? 0,
    memoryMb: inventory.memoryMb ?? 0,
    gpus: inventory.gpus ?? [],
    containment: inventory.containment?.available ?? [],
    runKinds: inventory.runKinds ?? [],
  };
}
