/** Which jobs are on a page of a list, found without ever looking at more than so many. */
import type { ListJobsQuery } from '@muster/dto';
import { ID_PREFIXES, isId, JOB_STATUSES } from '@muster/protocol';
import type { JobId } from '@muster/protocol';
import { birthBound } from '../birth-bound.js';
import type { Connection } from '../database/connection-pool.js';
import { fromCursor } from '../http/cursor.js';
import { INDEXES_ONLY, JOBS_PAGE, JOBS_PAGE_OF_LABELS, JOBS_PAGE_OF_WORKER } from './job-pages.sql.js';

export interface JobPage {
  /** Newest first; fewer than asked for, or none, also where the list goes on. */
  readonly ids: readonly JobId[];
  /** Where the next page begins; null when nothing follows. */
  readonly next: JobId | null;
}

interface Look {
  readonly ids: readonly JobId[];
  readonly looked_to: JobId | null;
}

/** Jobs that are looked at for one page: a few first, because what is asked for is often what most jobs are. */
const LOOKS = [200, 1_800];
/** As many jobs as have a label that is looked up by the label. */
const LABELLED_MAX = 2_000;
/** Ids are made by the clocks of replicas, the moments that are asked for are PostgreSQL's. */
const CLOCKS_APART_MS = 24 * 60 * 60 * 1_000;

const isJobId = (text: string): text is JobId => isId(ID_PREFIXES.job, text);

/** In a transaction with one snapshot, planned for the values of each statement. */
export async function findJobPage(connection: Connection, query: ListJobsQuery, limit: number): Promise<JobPage> {
  const wanted = limit + 1;
  const ids: JobId[] = [];
  let before: string | null = startOf(query);
  let lookedTo: JobId | null = null;
  for (const looks of isAskedOfEach(query) ? LOOKS : [wanted]) {
    const look = await lookAt(connection, query, before, wanted - ids.length, looks);
    ids.push(...look.ids);
    lookedTo = look.looked_to;
    if (ids.length === wanted || lookedTo === null) break;
    before = lookedTo;
    const rare = looks === LOOKS[0] ? await lookUpLabels(connection, query, before, wanted - ids.length) : null;
    if (rare === null) continue;
    ids.push(...rare);
    lookedTo = null;
    break;
  }
  return { ids: ids.slice(0, limit), next: ids.length > limit ? (ids[limit - 1] ?? null) : lookedTo };
}

async function lookAt(connection: Connection, query: ListJobsQuery, before: string | null, wanted: number, looks: number): Promise<Look> {
  const values = valuesOf(query, before, wanted, looks);
  const [look] = query.worker === undefined
    ? await connection.query<Look>(JOBS_PAGE, values)
    : await connection.query<Look>(JOBS_PAGE_OF_WORKER, [...values.with(1, query.status ?? null), query.worker]);
  return look ?? { ids: [], looked_to: null };
}

/** All that follow, if the labels asked for are rare; null when they are not, or none are asked for. */
async function lookUpLabels(connection: Connection, query: ListJobsQuery, before: string, wanted: number): Promise<readonly JobId[] | null> {
  if (query.label === undefined || query.worker !== undefined) return null;
  await connection.execute(INDEXES_ONLY);
  const [look] = await connection.query<{ ids: readonly JobId[] | null }>(JOBS_PAGE_OF_LABELS, valuesOf(query, before, wanted, LABELLED_MAX));
  return look?.ids ?? null;
}

/** Whether no index knows the answer, so that jobs are looked at that are not wanted. */
function isAskedOfEach({ label, q, createdAfter, createdBefore, worker, status, owner }: ListJobsQuery): boolean {
  const isOfWorker = worker !== undefined && (status !== undefined || owner !== undefined);
  return isOfWorker || [label, q, createdAfter, createdBefore].some((filter) => filter !== undefined);
}

function startOf({ cursor, createdBefore }: ListJobsQuery): string | null {
  const place = fromCursor(cursor, isJobId);
  if (createdBefore === undefined) return place;
  const bound = birthBound('job', Date.parse(createdBefore) + CLOCKS_APART_MS);
  return place === null || place > bound ? bound : place;
}

function valuesOf(query: ListJobsQuery, before: string | null, wanted: number, looks: number): unknown[] {
  return [
    before,
    query.status ?? JOB_STATUSES,
    query.owner ?? null,
    query.label === undefined ? null : JSON.stringify(toLabels(query.label)),
    query.q ?? null,
    query.createdAfter ?? null,
    query.createdBefore ?? null,
    query.prefix ?? null,
    wanted,
    looks,
    query.createdAfter === undefined ? null : birthBound('job', Date.parse(query.createdAfter) - CLOCKS_APART_MS),
  ];
}

function toLabels(filters: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    filters.map((filter) => {
      const colon = filter.indexOf(':');
      return [filter.slice(0, colon), filter.slice(colon + 1)];
    }),
  );
}
