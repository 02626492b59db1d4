/** Jobs as they lie there long after: what years would have to pass for otherwise. */
import { randomBytes } from 'node:crypto';
import { toId, type AttemptId, type JobId } from '@muster/protocol';
import { birthBound } from '../src/birth-bound.js';
import type { Database } from '../src/database/database.js';
import { sql } from '../src/database/sql.js';
import type { PartitionedTable } from '../src/retention/partition-plan.js';
import { PARTITION_ADD, PARTITIONS_OF } from '../src/retention/retention.sql.js';

export const DAY_MS = 86_400_000;

const WORKER = sql`
  with key as (
    insert into api_key (id, name, prefix, role, secret_hash, owner) values ('key_aged', 'k', 'p', 'worker', '', 'workers') on conflict do nothing
  )
  insert into worker (id, machine_id, key_id, owner, name, capability, slots)
  values ('wkr_aged', 'm', 'key_aged', 'workers', 'old-timer', 'cpu', 1)
  on conflict do nothing
`;
const JOB = sql`
  with lane as (
    insert into lane (owner, needs_hash, needs) values ('ada', 'aged', '{}') on conflict (owner, needs_hash) do update set needs = '{}' returning id
  ), job as (
    insert into job (id, owner, name, spec, lane_id, status, reason, priority, epoch, attempt_count, current_attempt_id, created_at, started_at, finished_at)
    select $1, 'ada', 'aged', $5::jsonb, lane.id, case when $4::float8 is null then 'running' else 'completed' end,
      case when $4::float8 is null then 'running' else 'succeeded' end, 0, 1, 1, case when $4::float8 is null then $2 end,
      now() - $3::float8 * interval '1 ms', now() - $3::float8 * interval '1 ms', now() - $4::float8 * interval '1 ms'
    from lane
  ), streams as (
    insert into log_stream (log_id, stream, stored_length, line_count) values ($2, 'output', 6, 1)
  ), metrics as (
    insert into metric_stream (log_id, stored_length) values ($2, 10)
  ), points as (
    insert into metric_point (log_id, step, at, "values") values ($2, 1, now() - $3::float8 * interval '1 ms', '{"loss": 1}')
  ), chunks as (
    insert into log_chunk (log_id, stream, start_offset, raw_length, first_line, line_count, encoding, read_at, bytes)
    values ($2, 'output', 0, 6, 0, 1, 'identity', now() - $3::float8 * interval '1 ms', convert_to('hello' || chr(10), 'UTF8'))
  )
  insert into event (id, type, at, actor, job_id) values ('evt_aged', 'job.queued', now() - $3::float8 * interval '1 ms', 'ada', $1)
`;
const ATTEMPT = sql`
  insert into attempt (id, job_id, worker_id, number, epoch, state, outcome, started_at, ended_at, lease_until, log_id)
  values ($2, $1, 'wkr_aged', 1, 1, case when $4::float8 is null then 'running' else 'ended' end, case when $4::float8 is null then null else 'succeeded' end,
    now() - $3::float8 * interval '1 ms', now() - $4::float8 * interval '1 ms', case when $4::float8 is null then now() + interval '1 day' end, $2)
`;
const FINISH = sql`
  with attempts as (
    update attempt set state = 'ended', outcome = 'succeeded', lease_until = null, ended_at = now() - $2::float8 * interval '1 ms' where job_id = $1
  )
  update job set status = 'completed', reason = 'succeeded', current_attempt_id = null, finished_at = now() - $2::float8 * interval '1 ms' where id = $1
`;

export interface AgedJob {
  readonly id: JobId;
  readonly attemptId: AttemptId;
}

const SPEC = {
  name: 'aged', run: { command: ['/bin/true'] }, env: {}, labels: {}, needs: {}, limits: {}, priority: 0, graceSeconds: 10, stopSignal: 'SIGTERM',
  retry: { onFailure: 0, onWorkerLost: 3, backoffSeconds: 5 }, disconnect: { lostAfterSeconds: 300, onWorkerLost: 'requeue', exclusive: false },
  logs: { separate: false },
};

/** Puts a job there that was submitted so many days ago; still running unless it finished. */
export async function putAgedJob(database: Database, bornDaysAgo: number, finishedDaysAgo: number | null): Promise<AgedJob> {
  const bornMs = Date.now() - bornDaysAgo * DAY_MS;
  const id = toId('job', bornMs, randomBytes(10));
  const attemptId = toId('att', bornMs + 1, randomBytes(10));
  const finishedMs = finishedDaysAgo === null ? null : finishedDaysAgo * DAY_MS;
  await database.execute(WORKER);
  await database.execute(JOB, [id, attemptId, bornDaysAgo * DAY_MS, finishedMs, JSON.stringify(SPEC)]);
  await database.execute(ATTEMPT, [id, attemptId, bornDaysAgo * DAY_MS, finishedMs]);
  return { id, attemptId };
}

export async function finishAgedJob(database: Database, id: JobId, finishedDaysAgo: number): Promise<void> {
  await database.execute(FINISH, [id, finishedDaysAgo * DAY_MS]);
}

/** The piece in which a table keeps what was born in those days, as it would have been made then. */
export async function putPiece(database: Database, table: PartitionedTable['name'], fromDaysAgo: number, toDaysAgo: number): Promise<string> {
  const prefix = table === 'event' ? 'job' : 'att';
  const firstId = birthBound(prefix, Date.now() - fromDaysAgo * DAY_MS);
  const name = `${table}_${firstId.slice(4).toLowerCase()}`;
  await database.execute(PARTITION_ADD, [table, name, firstId, birthBound(prefix, Date.now() - toDaysAgo * DAY_MS)]);
  return name;
}

/** Names of the pieces of a table, those that were taken out of it included. */
export async function piecesOf(database: Database, table: PartitionedTable['name']): Promise<string[]> {
  return (await database.query<{ name: string }>(PARTITIONS_OF, [[table]])).map(({ name }) => name);
}
