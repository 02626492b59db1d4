import { Inject, Injectable } from '@nestjs/common';
import type { JobSamplesQuery, SamplesQuery, WorkerSamplesQuery } from '@muster/dto';
import { SAMPLE_LIMITS } from '@muster/protocol';
import type { AttemptId, SamplesView, WorkerId } from '@muster/protocol';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import type { Connection } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { invalidRequest, notFound, unknownJob, unknownWorker } from '../http/refusal.js';
import { ONE_SNAPSHOT, PLAN_FOR_VALUES } from '../jobs/jobs.sql.js';
import { checkedAttempt } from '../logs/log-targets.js';
import { JOB_EXISTS } from '../metrics/metric-reader.sql.js';
import { MACHINE } from './measures.js';
import { bucketsFor, bucketsOf, type Buckets, type Window } from './resolution.js';
import { SAMPLES_ATTEMPT, SAMPLES_END, SAMPLES_MOMENT, SAMPLES_READ } from './samples.sql.js';
import { toSeries, type BucketRow } from './samples.view.js';

interface AttemptRow {
  readonly id: AttemptId;
  readonly worker_id: WorkerId;
  readonly from_ms: number;
  readonly to_ms: number | null;
}
/** Whose series: the machine and its GPUs, or one attempt there. */
interface Whose {
  readonly workerId: string;
  readonly attemptId: AttemptId | null;
}

/** Looking at how machines, and attempts on them, went over time. An answer never holds more than a bounded number of buckets. */
@Injectable()
export class SampleReader {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  /** Of a worker that was removed as well: for as long as samples are kept. */
  async ofWorker(workerId: string, query: WorkerSamplesQuery): Promise<SamplesView> {
    return this.read({ workerId, attemptId: query.attempt ?? null }, query, null);
  }

  /** What an attempt of a job used, by default for as long as it lived. */
  async ofJob(jobId: string, query: JobSamplesQuery): Promise<SamplesView> {
    const [attempt] = await this.database.query<AttemptRow>(SAMPLES_ATTEMPT, [jobId, checkedAttempt(query.attempt)]);
    if (attempt === undefined) throw await this.noAttempt(jobId, query.attempt);
    return this.read({ workerId: attempt.worker_id, attemptId: attempt.id }, query, attempt);
  }

  private async read(whose: Whose, query: SamplesQuery, attempt: AttemptRow | null): Promise<SamplesView> {
    if (query.points !== undefined && query.resolution !== undefined) {
      throw invalidRequest([{ pointer: '?points', detail: 'Expected either `points` or `resolution`, got both.' }]);
    }
    return this.database.transaction(async (connection) => {
      await connection.execute(ONE_SNAPSHOT);
      await connection.execute(PLAN_FOR_VALUES);
      const [moment] = await connection.query<{ now_ms: number; is_known: boolean }>(SAMPLES_MOMENT, [whose.workerId]);
      if (moment?.is_known !== true) throw unknownWorker(whose.workerId);
      const window = windowOf(query, moment.now_ms, attempt);
      const buckets = await this.bucketsOf(connection, whose, query, window, moment.now_ms);
      return toView(whose, buckets, window.toMs, await readBuckets(connection, whose, buckets));
    });
  }

  private async bucketsOf(connection: Connection, whose: Whose, query: SamplesQuery, window: Window, nowMs: number): Promise<Buckets> {
    const { resolution, points = SAMPLE_LIMITS.pointsDefault } = query;
    if (resolution === undefined) return bucketsFor(window, points, nowMs, this.config.sampleRetentionMs);
    const buckets = bucketsOf(window, resolution);
    if (resolution !== 'raw') return buckets;
    const values = [whose.workerId, whose.attemptId ?? MACHINE, buckets.fromMs, SAMPLE_LIMITS.bucketsMax, buckets.toMs];
    const [end] = await connection.query<{ end_ms: number }>(SAMPLES_END, values);
    return { ...buckets, toMs: end?.end_ms ?? buckets.toMs };
  }

  private async noAttempt(jobId: string, attempt: string | undefined): Promise<Error> {
    if ((await this.database.query(JOB_EXISTS, [jobId])).length === 0) return unknownJob(jobId);
    return notFound('attempt', attempt ?? 'of this job yet', '`GET /api/v1/jobs/{id}/attempts` lists the attempts of a job.');
  }
}

function windowOf(query: SamplesQuery, nowMs: number, attempt: AttemptRow | null): Window {
  // The moment that is told last belongs to it.
  const toMs = query.to === undefined ? (attempt?.to_ms ?? nowMs) + 1 : Date.parse(query.to);
  const beganMs = attempt === null ? toMs - SAMPLE_LIMITS.windowMsDefault : Math.min(attempt.from_ms, toMs - 1);
  const fromMs = query.from === undefined ? beganMs : Date.parse(query.from);
  if (fromMs < toMs && toMs > 0) return { fromMs: Math.max(0, fromMs), toMs };
  throw invalidRequest([{ pointer: '?from', detail: `Expected a moment before ${new Date(toMs).toISOString()}, where the window ends.` }]);
}

function readBuckets(connection: Connection, { workerId, attemptId }: Whose, buckets: Buckets): Promise<BucketRow[]> {
  const { fromMs, toMs, bucketMs, resolution } = buckets;
  return connection.query<BucketRow>(SAMPLES_READ, [workerId, attemptId === null ? null : [attemptId], fromMs, toMs, bucketMs, resolution]);
}

function toView({ workerId }: Whose, buckets: Buckets, wantedToMs: number, rows: readonly BucketRow[]): SamplesView {
  const { fromMs, toMs, bucketMs, resolution } = buckets;
  return {
    workerId: workerId as WorkerId,
    fromAt: new Date(fromMs).toISOString(),
    toAt: new Date(toMs).toISOString(),
    resolution,
    bucketMs: bucketMs === 1 ? null : bucketMs,
    series: toSeries(rows),
    nextFrom: toMs < wantedToMs ? new Date(toMs).toISOString() : null,
  };
}
