import { Injectable } from '@nestjs/common';
import type { PageQuery } from '@muster/dto';
import { LIMITS, type AttemptId, type MetricPointView, type Page } from '@muster/protocol';
import { Database } from '../database/database.js';
import { fromCursor, isSequence, toCursor } from '../http/cursor.js';
import { unknownJob } from '../http/refusal.js';
import { JOB_EXISTS, METRICS_OF_JOB } from './metric-reader.sql.js';

interface PointRow {
  readonly seq: number;
  readonly attempt_id: AttemptId;
  readonly step: number | null;
  readonly at: Date;
  readonly values: Readonly<Record<string, number>>;
}

/** What jobs measured, page by page. */
@Injectable()
export class MetricReader {
  constructor(private readonly database: Database) {}

  async read(jobId: string, query: PageQuery): Promise<Page<MetricPointView>> {
    const limit = query.limit ?? LIMITS.listPageDefault;
    const after = Number(fromCursor(query.cursor, isSequence) ?? 0);
    const rows = await this.database.query<PointRow>(METRICS_OF_JOB, [jobId, after, limit + 1]);
    if (rows.length === 0 && (await this.database.query(JOB_EXISTS, [jobId])).length === 0) throw unknownJob(jobId);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return {
      data: shown.map(({ attempt_id: attemptId, step, at, values }) => ({ attemptId, step, at: at.toISOString(), values })),
      nextCursor: rows.length > limit && last !== undefined ? toCursor(String(last.seq)) : null,
    };
  }
}
