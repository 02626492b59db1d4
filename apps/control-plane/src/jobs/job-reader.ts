import { Injectable } from '@nestjs/common';
import { OFFERED, type Explanation } from '@muster/domain';
import { LIMITS } from '@muster/protocol';
import type { AttemptView, EventView, ExplainView, JobId, JobView, Page } from '@muster/protocol';
import type { ListJobsQuery, PageQuery } from '@muster/dto';
import { Database } from '../database/database.js';
import { toJobFacts } from '../engine/fact-rows.js';
import { unknownJob } from '../http/refusal.js';
import { LOG_STREAMS_READ } from '../logs/log-reader.sql.js';
import type { StoredStream } from '../logs/log-state.js';
import { toAttemptView, toEventView } from './attempt.view.js';
import type { EventRow, ShownAttemptRow } from './attempt.view.js';
import { fromCursor, isSequence, toCursor } from '../http/cursor.js';
import { FleetReader } from './fleet-reader.js';
import { findJobPage, type JobPage } from './job-pages.js';
import { toJobView } from './job.view.js';
import type { ShownJobRow } from './job.view.js';
import { ATTEMPTS_OF_JOB, EVENTS_OF_JOB, JOBS_BY_ID, ONE_SNAPSHOT, PLAN_FOR_VALUES } from './jobs.sql.js';

/** Looking at jobs. Every person's key sees the whole fleet; what it may change is another matter (docs/keys-and-roles.md). */
@Injectable()
export class JobReader {
  constructor(
    private readonly database: Database,
    private readonly fleet: FleetReader,
  ) {}

  /**
   * Newest first. A job that is submitted meanwhile never makes another appear twice or not at all. A page may be short
   * and the list still go on: no request looks at more than a bounded number of jobs.
   */
  async list(query: ListJobsQuery): Promise<Page<JobView>> {
    const limit = query.limit ?? LIMITS.listPageDefault;
    const { page, rows } = await this.readPage(query, limit);
    return { data: await this.toViews(inOrder(page.ids, rows)), nextCursor: page.next === null ? null : toCursor(page.next) };
  }

  async get(id: string): Promise<JobView> {
    const [view] = await this.getAll([id]);
    if (view === undefined) throw unknownJob(id);
    return view;
  }

  /** In the order of the ids; unknown ones are left out. */
  async getAll(ids: readonly string[]): Promise<JobView[]> {
    return this.toViews(inOrder(ids, await this.database.query<ShownJobRow>(JOBS_BY_ID, [ids])));
  }

  async explain(id: string): Promise<ExplainView> {
    const [row] = await this.database.query<ShownJobRow>(JOBS_BY_ID, [[id]]);
    if (row === undefined) throw unknownJob(id);
    const explanation = (await this.explainQueued([row])).get(row.id) ?? null;
    const { status, reason, reasonText, reasonDetail } = toJobView(row, explanation);
    const perWorker = (explanation?.workers ?? []).map(({ workerId, workerName, kind, detail }) => ({
      workerId,
      workerName,
      reasons: kind === 'free' ? [] : [detail],
    }));
    return { jobId: row.id, status, reason, reasonText, detail: reasonDetail, perWorker };
  }

  async attempts(id: string): Promise<AttemptView[]> {
    const rows = await this.database.query<ShownAttemptRow>(ATTEMPTS_OF_JOB, [id]);
    if (rows.length === 0) await this.get(id);
    const logIds = [...new Set(rows.map((row) => row.log_id))];
    const streams = await this.database.query<StoredStream & { log_id: string }>(LOG_STREAMS_READ, [logIds]);
    return rows.map((row) => toAttemptView(row, streams.filter((stream) => stream.log_id === row.log_id)));
  }

  /** Oldest first. */
  async events(id: string, query: PageQuery): Promise<Page<EventView>> {
    const limit = query.limit ?? LIMITS.listPageDefault;
    const after = Number(fromCursor(query.cursor, isSequence) ?? 0);
    const rows = await this.database.query<EventRow>(EVENTS_OF_JOB, [id, after, limit + 1]);
    if (rows.length === 0) await this.get(id);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return { data: shown.map(toEventView), nextCursor: rows.length > limit && last !== undefined ? toCursor(String(last.seq)) : null };
  }

  private readPage(query: ListJobsQuery, limit: number): Promise<{ page: JobPage; rows: ShownJobRow[] }> {
    return this.database.transaction(async (connection) => {
      await connection.execute(ONE_SNAPSHOT);
      await connection.execute(PLAN_FOR_VALUES);
      const page = await findJobPage(connection, query, limit);
      return { page, rows: await connection.query<ShownJobRow>(JOBS_BY_ID, [page.ids]) };
    });
  }

  /** Jobs that have just been stored, as they stand there. Who was granted with the same commit found a free worker: nobody looks for one. */
  async showNew(rows: readonly ShownJobRow[], isGranted: boolean): Promise<JobView[]> {
    if (isGranted) return rows.map((row) => toJobView(row, OFFERED));
    const explanations = await this.fleet.explainNew(rows.map(toJobFacts));
    return rows.map((row) => toJobView(row, explanations.get(row.id) ?? null));
  }

  private async toViews(rows: readonly ShownJobRow[]): Promise<JobView[]> {
    const explanations = await this.explainQueued(rows);
    return rows.map((row) => toJobView(row, explanations.get(row.id) ?? null));
  }

  private explainQueued(rows: readonly ShownJobRow[]): Promise<ReadonlyMap<JobId, Explanation>> {
    return this.fleet.explainAll(rows.filter((row) => row.status === 'queued').map(toJobFacts));
  }
}

function inOrder(ids: readonly string[], rows: readonly ShownJobRow[]): ShownJobRow[] {
  const byId = new Map<string, ShownJobRow>(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}
