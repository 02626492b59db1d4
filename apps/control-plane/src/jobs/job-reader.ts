import { Injectable } from '@nestjs/common';
import type { Explanation } from '@muster/domain';
import { ID_PREFIXES, isId, JOB_STATUSES, LIMITS } from '@muster/protocol';
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
import { toJobView } from './job.view.js';
import type { ShownJobRow } from './job.view.js';
import { ATTEMPTS_OF_JOB, EVENTS_OF_JOB, JOBS_BY_ID, JOBS_PAGE, JOBS_PAGE_OF_WORKER, ONE_SNAPSHOT, PLAN_FOR_VALUES } from './jobs.sql.js';

const isJobId = (text: string): text is JobId => isId(ID_PREFIXES.job, text);

/** Looking at jobs. Every person's key sees the whole fleet; what it may change is another matter (docs/keys-and-roles.md). */
@Injectable()
export class JobReader {
  constructor(
    private readonly database: Database,
    private readonly fleet: FleetReader,
  ) {}

  /** Newest first. A job that is submitted meanwhile never makes another appear twice or not at all. */
  async list(query: ListJobsQuery): Promise<Page<JobView>> {
    const limit = query.limit ?? LIMITS.listPageDefault;
    const { found, rows } = await this.readPage(query, limit + 1);
    const shown = found.slice(0, limit);
    const last = shown.at(-1);
    const views = await this.toViews(inOrder(shown, rows));
    return { data: views, nextCursor: found.length > limit && last !== undefined ? toCursor(last) : null };
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

  private readPage(query: ListJobsQuery, limit: number): Promise<{ found: string[]; rows: ShownJobRow[] }> {
    const values = [
      fromCursor(query.cursor, isJobId),
      query.status ?? JOB_STATUSES,
      query.owner ?? null,
      query.label === undefined ? null : JSON.stringify(toLabels(query.label)),
      query.q ?? null,
      query.createdAfter ?? null,
      query.createdBefore ?? null,
      query.prefix ?? null,
      limit,
    ];
    return this.database.transaction(async (connection) => {
      await connection.execute(ONE_SNAPSHOT);
      await connection.execute(PLAN_FOR_VALUES);
      const page = query.worker === undefined
        ? await connection.query<{ id: string }>(JOBS_PAGE, values)
        : await connection.query<{ id: string }>(JOBS_PAGE_OF_WORKER, [...values, query.worker]);
      const found = page.map(({ id }) => id);
      return { found, rows: await connection.query<ShownJobRow>(JOBS_BY_ID, [found]) };
    });
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

function toLabels(filters: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    filters.map((filter) => {
      const colon = filter.indexOf(':');
      return [filter.slice(0, colon), filter.slice(colon + 1)];
    }),
  );
}
