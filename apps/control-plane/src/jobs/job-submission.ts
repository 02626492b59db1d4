import { Inject, Injectable } from '@nestjs/common';
import { requirementsOf, toJobSpec } from '@muster/domain';
import { ID_PREFIXES } from '@muster/protocol';
import type { FieldError, JobId, JobSpec, JobView } from '@muster/protocol';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import type { Connection } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { Dispatcher } from '../dispatch/dispatcher.js';
import { invalidRequest } from '../http/refusal.js';
import type { Caller } from '../keys/caller.js';
import { newId } from '../new-id.js';
import { digestOfJson } from './canonical.js';
import { findEarlier, readIdempotencyKey, remember } from './idempotency.js';
import type { IdempotencyClaim } from './idempotency.js';
import { JobReader } from './job-reader.js';
import { JOBS_ADD } from './jobs.sql.js';
import { LaneKeeper } from './lane-keeper.js';
import type { Submission } from './submit.pipe.js';

export interface Submitted {
  readonly jobs: readonly JobView[];
  readonly isBatch: boolean;
  /** True when an earlier request with the same Idempotency-Key made them. */
  readonly isReplayed: boolean;
}

/** Takes jobs in: all of a submission or nothing, once per Idempotency-Key. What it answers is committed. */
@Injectable()
export class JobSubmission {
  constructor(
    private readonly database: Database,
    private readonly lanes: LaneKeeper,
    private readonly reader: JobReader,
    private readonly dispatcher: Dispatcher,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  async submit(submission: Submission, caller: Caller, idempotencyKey: string | undefined): Promise<Submitted> {
    const key = readIdempotencyKey(idempotencyKey);
    const claim = key === undefined ? undefined : { owner: caller.owner, key, requestHash: digestOfJson(submission.body) };
    const specs = this.toSpecs(submission);
    const { jobIds, isReplayed } = await this.database.transaction((connection) => this.store(connection, specs, caller.owner, claim));
    if (!isReplayed) this.dispatcher.wake();
    return { jobs: await this.reader.getAll(jobIds), isBatch: submission.isBatch, isReplayed };
  }

  private async store(
    connection: Connection,
    specs: readonly JobSpec[],
    owner: string,
    claim: IdempotencyClaim | undefined,
  ): Promise<{ jobIds: readonly JobId[]; isReplayed: boolean }> {
    const earlier = claim === undefined ? null : await findEarlier(connection, claim);
    if (earlier !== null) return { jobIds: earlier, isReplayed: true };
    const jobIds = await this.insert(connection, specs, owner);
    if (claim !== undefined) await remember(connection, claim, jobIds);
    return { jobIds, isReplayed: false };
  }

  private async insert(connection: Connection, specs: readonly JobSpec[], owner: string): Promise<JobId[]> {
    const laneIds = await this.lanes.idsFor(connection, owner, specs.map(requirementsOf));
    const jobIds = newIdsInOrder(specs.length);
    const rows = specs.map((spec, index) => ({
      id: jobIds[index],
      event_id: newId(ID_PREFIXES.event),
      name: spec.name,
      spec,
      labels: spec.labels,
      lane_id: laneIds[index],
      priority: spec.priority,
      queue_seconds: spec.limits.queueSeconds ?? null,
    }));
    await connection.execute(JOBS_ADD, [JSON.stringify(rows), owner]);
    return jobIds;
  }

  /** Every complaint about every job at once. */
  private toSpecs(submission: Submission): JobSpec[] {
    const errors: FieldError[] = [];
    const specs = submission.jobs.flatMap((job, index) => {
      const result = toJobSpec(job, this.config.workerTimeoutMs);
      if (result.ok) return [result.spec];
      const above = submission.isBatch ? `/jobs/${index}` : '';
      errors.push(...result.errors.map(({ pointer, detail }) => ({ pointer: above + pointer, detail })));
      return [];
    });
    if (errors.length > 0) throw invalidRequest(errors);
    return specs;
  }
}

/** Ids of one moment differ only by chance: sorted, the jobs of a batch run in the order they were given. */
function newIdsInOrder(count: number): JobId[] {
  return Array.from({ length: count }, () => newId(ID_PREFIXES.job)).sort();
}
