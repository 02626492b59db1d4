/** What PostgreSQL holds, held against the model. Each throws with what differs. */
import { isDeepStrictEqual } from 'node:util';
import { isLive, workerLink, type Slice, type WorkerFacts } from '@muster/domain';
import type { AttemptId, JobId } from '@muster/protocol';
import type { Database } from '../../src/database/database.js';
import { sql } from '../../src/database/sql.js';
import { LEASES_OVER, QUEUE_LIMITS_PASSED, WORKERS_SILENT } from '../../src/workers/sweep.sql.js';
import type { Model } from './model.js';
import { plainFacts, readFacts } from './stored-facts.js';
import { CLOCK_SET } from './virtual-clock.js';

const EVENTS = sql`select type, actor, job_id, attempt_id, worker_id, data from event order by seq`;
const RESULTS = sql`select id, result from job where result is not null`;
const SYSTEM_TEXTS = sql`
  select log_id, convert_from(string_agg(bytes, ''::bytea order by start_offset), 'UTF8') as text, sum(raw_length) as length
  from log_chunk
  where stream = 'system'
  group by log_id
`;
const STREAMS = sql`select log_id, stream, stored_length from log_stream`;

interface EventRow { type: string; actor: string; job_id: string | null; attempt_id: string | null; worker_id: string | null; data: unknown }

export async function expectSameRows(database: Database, model: Model): Promise<void> {
  const stored = plainFacts(await readFacts(database.control));
  const expected = plainFacts(model.slice);
  if (isDeepStrictEqual(stored, expected)) return;
  throw new Error(`Rows differ:\n${differences(stored, expected).slice(0, 12).join('\n')}`);
}

/** Events in their order, results, the control plane's own lines, lengths of logs, and what the sweeper would find now. */
export async function expectSameTraces(database: Database, model: Model, now: { readonly nowMs: number; readonly beatIntervalMs: number; readonly workerTimeoutMs: number }): Promise<void> {
  const [events, results, texts, streams] = await Promise.all([
    database.control.query<EventRow>(EVENTS),
    database.control.query<{ id: JobId; result: unknown }>(RESULTS),
    database.control.query<{ log_id: AttemptId; text: string; length: number }>(SYSTEM_TEXTS),
    database.control.query<{ log_id: AttemptId; stream: string; stored_length: number }>(STREAMS),
  ]);
  const wanted = model.events.map(({ type, actor, jobId, attemptId, workerId, data }) => ({ type, actor, job_id: jobId, attempt_id: attemptId, worker_id: workerId, data }));
  expectEqual('events', events, wanted);
  expectEqual('results', sorted(results.map(({ id, result }) => [id, result])), sorted([...model.results]));
  expectEqual('system lines', sorted(texts.map(({ log_id, text }) => [log_id, text])), sorted([...model.systemTexts]));
  const output = streams.filter(({ stream, stored_length }) => stream === 'output' && stored_length > 0);
  expectEqual('log lengths', sorted(output.map((row) => [row.log_id, row.stored_length])), sorted([...model.logs].filter(([, length]) => length > 0)));
  const system = streams.filter(({ stream }) => stream === 'system');
  expectEqual('system lengths', sorted(system.map((row) => [row.log_id, row.stored_length])), sorted(texts.map((row) => [row.log_id, Number(row.length)])));
  await expectSweepsFindWhatIsDue(database, model.slice, now);
}

async function expectSweepsFindWhatIsDue(
  database: Database,
  rows: Slice,
  { nowMs, beatIntervalMs, workerTimeoutMs }: { readonly nowMs: number; readonly beatIntervalMs: number; readonly workerTimeoutMs: number },
): Promise<void> {
  // One connection for the clock and the three that look.
  const found = await database.lane('samples').transaction(async (connection) => {
    await connection.query(CLOCK_SET, [String(nowMs)]);
    return {
      leases: await connection.query<{ id: string }>(LEASES_OVER, [[]]),
      limits: await connection.query<{ id: string }>(QUEUE_LIMITS_PASSED),
      silent: await connection.query<{ id: string }>(WORKERS_SILENT, [2 * beatIntervalMs, workerTimeoutMs]),
    };
  });
  const leases = [...rows.attempts.values()].filter((one) => isLive(one) && one.leaseUntilMs !== null && one.leaseUntilMs <= nowMs);
  const limits = [...rows.jobs.values()].filter(
    (job) => job.status === 'queued' && job.startedMs === null && job.queueUntilMs !== null && nowMs >= job.queueUntilMs,
  );
  const isWorse = (worker: WorkerFacts): boolean => {
    if (worker.lastBeatMs === null || worker.isRemoved) return false;
    // At the very millisecond of a limit the reducer already sees silence; the sweeper finds it a moment later.
    const silentMs = nowMs - worker.lastBeatMs - 1;
    const link = workerLink({ silentMs, isSocketClosed: false, beatIntervalMs, workerTimeoutMs });
    return link === 'unreachable' ? worker.link !== 'unreachable' : link === 'suspect' && worker.link === 'connected';
  };
  const idsOf = (all: readonly { readonly id: string }[]): string[] => all.map(({ id }) => id).sort();
  expectEqual('leases that are over', idsOf(found.leases), idsOf(leases));
  expectEqual('queue limits that passed', idsOf(found.limits), idsOf(limits));
  expectEqual('workers found silent', idsOf(found.silent), idsOf([...rows.workers.values()].filter(isWorse)));
}

function expectEqual(what: string, stored: unknown, expected: unknown): void {
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;
  const [left, right] = [plain(stored), plain(expected)];
  if (!isDeepStrictEqual(left, right)) throw new Error(`${what} differ:\n${differences(left, right).slice(0, 6).join('\n')}`);
}

function sorted<Id extends string, Value>(entries: readonly (readonly [Id, Value])[]): readonly (readonly [Id, Value])[] {
  return [...entries].sort(([left], [right]) => (left < right ? -1 : 1));
}

/** The paths at which two plain values differ, with both sides. */
function differences(stored: unknown, expected: unknown, path = ''): string[] {
  if (isDeepStrictEqual(stored, expected)) return [];
  const isTree = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  if (!isTree(stored) || !isTree(expected)) return [`${path}: PostgreSQL ${JSON.stringify(stored)}, reducers ${JSON.stringify(expected)}`];
  const names = new Set([...Object.keys(stored), ...Object.keys(expected)]);
  return [...names].flatMap((name) => differences(stored[name], expected[name], `${path}/${name}`));
}
