import { Inject, Injectable } from '@nestjs/common';
import { requirementsOf, toJobSpec } from '@muster/domain';
import type { FieldError, JobSpec, JobView } from '@muster/protocol';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import { Database } from '../database/database.js';
import { Dispatcher } from '../dispatch/dispatcher.js';
import { invalidRequest } from '../http/refusal.js';
import type { Caller } from '../keys/caller.js';
import { digestOfJson } from './canonical.js';
import { readIdempotencyKey } from './idempotency.js';
import { JobReader } from './job-reader.js';
import { LaneKeeper } from './lane-keeper.js';
import { newJobs, toNewRow } from './new-job.js';
import { SubmissionLane } from './submission-lane.js';
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
    private readonly orders: SubmissionLane,
    private readonly reader: JobReader,
    private readonly dispatcher: Dispatcher,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  async submit(submission: Submission, caller: Caller, idempotencyKey: string | undefined): Promise<Submitted> {
    const { isBatch } = submission;
    const { owner } = caller;
    const key = readIdempotencyKey(idempotencyKey);
    const claim = key === undefined ? undefined : { owner, key, requestHash: digestOfJson(submission.body) };
    const specs = this.toSpecs(submission);
    const jobs = newJobs(owner, specs, await this.lanes.idsFor(this.database, owner, specs.map(requirementsOf)));
    const taken = await this.orders.take({ jobs, claim });
    if ('earlierJobIds' in taken) return { jobs: await this.reader.getAll(taken.earlierJobIds), isBatch, isReplayed: true };
    if (!taken.isGranted) this.dispatcher.jobsQueued();
    // From what was stored: it was committed as it stands here, whatever has become of it since.
    return { jobs: await this.reader.showNew(jobs.map((job) => toNewRow(job, taken.createdAt)), taken.isGranted), isBatch, isReplayed: false };
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
