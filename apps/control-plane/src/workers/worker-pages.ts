/** Which workers are on a page of a list, found without ever looking at more than so many. */
import { parseLabelFilter, satisfiesLabels, type LabelCondition } from '@muster/domain';
import type { ListWorkersQuery } from '@muster/dto';
import { ID_PREFIXES, isId } from '@muster/protocol';
import type { Capability, WorkerId } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { fromCursor } from '../http/cursor.js';
import { invalidRequest } from '../http/refusal.js';
import { readinessOf, standingOf, type WorkerStandingRow } from './worker.view.js';
import { WORKERS_LOOKED } from './workers.sql.js';

export interface WorkerPage {
  /** Newest first; fewer than asked for, or none, also where the list goes on. */
  readonly ids: readonly WorkerId[];
  /** Where the next page begins; null when nothing follows. */
  readonly next: WorkerId | null;
}

interface CandidateRow extends WorkerStandingRow {
  readonly id: WorkerId;
  readonly labels: Readonly<Record<string, string>>;
}
/** A worker that was looked at and is not what is asked for. */
interface PassedRow {
  readonly id: WorkerId;
  readonly capability: null;
}
type LookedRow = CandidateRow | PassedRow;

/** Workers that are looked at for one page: a few first, because what is asked for is often what most are. */
const LOOKS = [200, 1_800];

const isWorkerId = (text: string): text is WorkerId => isId(ID_PREFIXES.worker, text);
const isCandidate = (row: LookedRow): row is CandidateRow => (row.capability as Capability | null) !== null;

/** In a transaction with one snapshot, planned for the values of each statement. */
export async function findWorkerPage(
  connection: Connection,
  query: ListWorkersQuery,
  limit: number,
  workerTimeoutMs: number,
): Promise<WorkerPage> {
  const isWanted = decider(query, workerTimeoutMs);
  const ids: WorkerId[] = [];
  let before: WorkerId | null = fromCursor(query.cursor, isWorkerId);
  for (const looks of LOOKS) {
    const rows: LookedRow[] = await connection.query(WORKERS_LOOKED, valuesOf(query, before, looks));
    ids.push(...rows.filter(isCandidate).filter(isWanted).map(({ id }) => id));
    before = rows.length === looks ? (rows.at(-1)?.id ?? null) : null;
    if (ids.length > limit || before === null) break;
  }
  return { ids: ids.slice(0, limit), next: ids.length > limit ? (ids[limit - 1] ?? null) : before };
}

/** What no index and no column knows: the shown status, whether it would be offered a job, what its labels come to. */
function decider(query: ListWorkersQuery, workerTimeoutMs: number): (row: CandidateRow) => boolean {
  const conditions = query.label === undefined ? [] : readLabels(query.label);
  return (row) =>
    (query.status?.includes(standingOf(row)) ?? true) &&
    (query.available === undefined || readinessOf(row, workerTimeoutMs).available === query.available) &&
    satisfiesLabels(conditions, row.labels);
}

function readLabels(text: string): readonly LabelCondition[] {
  const parsed = parseLabelFilter(text);
  if (parsed.ok) return parsed.conditions;
  throw invalidRequest([{ pointer: '?label', detail: `${parsed.message}; wrong at character ${parsed.at + 1} of ${JSON.stringify(text)}.` }]);
}

function valuesOf(query: ListWorkersQuery, before: WorkerId | null, looks: number): unknown[] {
  return [
    before, looks, query.q ?? null, query.capability ?? null, query.contentType ?? null, query.owner ?? null, query.includeRemoved ?? false,
  ];
}
