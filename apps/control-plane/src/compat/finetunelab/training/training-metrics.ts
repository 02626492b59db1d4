import { Injectable } from '@nestjs/common';
import { Database } from '../../../database/database.js';
import type { JobTerm } from '../../../keys/job-tokens.js';
import { METRIC_STREAMS_ADD } from '../../../metrics/metric-ingest.sql.js';
import { ForeignRefusal } from '../../foreign-refusal.js';
import { TRAINING_METRICS_ADD, TRAINING_METRICS_FULL, TRAINING_METRICS_LOCK, TRAINING_METRICS_READ, TRAINING_METRICS_REPLACED } from './training.sql.js';
import { toShownPoint, type TrainingPoint } from './training-point.js';

/** Of one job: a look at them holds them all. */
const POINTS_MAX = 100_000;

/** Points of training jobs, among those every job has. A step is told once: told again, its new point takes the old one's place. */
@Injectable()
export class TrainingMetrics {
  constructor(private readonly database: Database) {}

  /** @throws ForeignRefusal 400 when the job would have too many; then none of them is taken */
  async put({ logId }: JobTerm, points: readonly TrainingPoint[]): Promise<void> {
    const latest = [...new Map(points.map((point) => [point.step, point])).values()];
    if (latest.length === 0) return;
    await this.database.transaction(async (connection) => {
      await connection.execute(METRIC_STREAMS_ADD, [[logId]]);
      await connection.query(TRAINING_METRICS_LOCK, [logId]);
      await connection.execute(TRAINING_METRICS_REPLACED, [logId, latest.map(({ step }) => step)]);
      const isFull = (await connection.query(TRAINING_METRICS_FULL, [logId, POINTS_MAX - latest.length])).length > 0;
      if (isFull || latest.length > POINTS_MAX) throw new ForeignRefusal(400, `metrics: A job may have at most ${POINTS_MAX} points.`);
      const shown = latest.map(toShownPoint);
      await connection.execute(TRAINING_METRICS_ADD, [
        logId,
        shown.map(({ step }) => step),
        shown.map(({ at }) => at),
        shown.map(({ values }) => JSON.stringify(values)),
        latest.map((point) => JSON.stringify(point)),
      ]);
    });
  }

  /** As they were sent, ascending by step. */
  async read({ logId }: JobTerm): Promise<TrainingPoint[]> {
    const rows = await this.database.query<{ readonly sent: TrainingPoint }>(TRAINING_METRICS_READ, [logId]);
    return rows.map(({ sent }) => sent);
  }
}
