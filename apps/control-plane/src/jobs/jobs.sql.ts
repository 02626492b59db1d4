import { sql } from '../database/sql.js';

/** A page of jobs: many filters, few given. Planned for the values of each call, because a shared plan knows none of them. */
export const PLAN_FOR_VALUES = sql`set local plan_cache_mode = force_custom_plan`;

/** The ids of a page and what is shown of them are read as of one moment, so that no row contradicts the filter that found it. */
export const ONE_SNAPSHOT = sql`set transaction isolation level repeatable read`;

/** Moments as they are shown: in milliseconds. */
export const JOBS_BY_ID = sql`
  select job.id, job.owner, job.name, job.spec, job.labels, job.status, job.desired, job.force, job.reason, job.reason_detail,
    job.priority, job.epoch, job.attempt_count, job.current_attempt_id, job.failures, job.losses, job.refusals,
    job.losses_while_running, job.not_before, job.queue_until, job.created_at, job.started_at, job.finished_at, job.exit, job.result,
    job.progress_fraction, job.progress_message, job.progress_at, worker.id as worker_id, worker.name as worker_name,
    worker.link as worker_link
  from job
  left join lateral (select worker_id from attempt where attempt.job_id = job.id order by number desc limit 1) as last on true
  left join worker on worker.id = last.worker_id
  where job.id = any($1::text[])
`;

export const JOB_OWNER = sql`select owner from job where id = $1`;

export const LANES_FIND = sql`
  select id, needs_hash
  from lane
  where owner = $1
    and needs_hash = any($2::text[])
`;

/** In one order, so that two submissions that make the same lanes never wait for one another in a circle. */
export const LANES_ADD = sql`
  insert into lane (owner, needs_hash, needs)
  select $1, needs_hash, needs
  from jsonb_to_recordset($2::jsonb) as wanted (needs_hash text, needs jsonb)
  order by needs_hash collate "C"
  on conflict (owner, needs_hash) do nothing
`;

/** Jobs of any owners, the events that say so, and their count, in one statement; answers when that was. */
export const JOBS_ADD = sql`
  with wanted as materialized (
    select *
    from jsonb_to_recordset($1::jsonb) as new (
      id text, event_id text, owner text, name text, spec jsonb, labels jsonb, lane_id bigint, priority integer,
      queue_seconds double precision
    )
  ), added as (
    insert into job (id, owner, name, spec, labels, lane_id, status, reason, priority, queue_until)
    select id, owner, name, spec, labels, lane_id, 'queued', 'waiting', priority, now() + queue_seconds * interval '1 second'
    from wanted
  ), said as (
    insert into event (id, type, actor, job_id, data)
    select event_id, 'job.queued', owner, id, jsonb_build_object('name', name)
    from wanted
  ), counted as (
    insert into job_tally (minute, to_status, jobs) select date_trunc('minute', now()), 'queued', count(*) from wanted
  )
  select now() as created_at
`;

export const ATTEMPTS_OF_JOB = sql`
  select attempt.id, attempt.job_id, attempt.worker_id, attempt.number, attempt.epoch, attempt.state, attempt.outcome, attempt.exit,
    attempt.detail, attempt.gpus, attempt.lease_until, attempt.offered_at, attempt.started_at, attempt.ended_at, attempt.containment,
    attempt.usage, attempt.leftovers, attempt.log_id, attempt.proofs, worker.name as worker_name, worker.link as worker_link
  from attempt
  join worker on worker.id = attempt.worker_id
  where attempt.job_id = $1
  order by attempt.number
`;

export const EVENTS_OF_JOB = sql`
  select seq, id, type, at, actor, job_id, attempt_id, worker_id, data
  from event
  where job_id = $1
    and seq > $2
  order by seq
  limit $3
`;

/**
 * Takes keys ($2) of owners ($1) for as long as the transaction lasts, and looks for what earlier requests made; answers in
 * the order of the keys. A request that commits between this statement's snapshot and its lock is not seen;
 * `IDEMPOTENCY_ADD` notices.
 */
export const IDEMPOTENCY_TAKE = sql`
  with taken as materialized (
    select owner, key, place, pg_try_advisory_xact_lock(hashtextextended(owner || chr(10) || key, 6878003)) as is_mine
    from unnest($1::text[], $2::text[]) with ordinality as asked (owner, key, place)
  )
  select taken.is_mine, earlier.request_hash, earlier.response
  from taken
  left join idempotency_key as earlier
    on earlier.owner = taken.owner
    and earlier.key = taken.key
    and earlier.created_at > now() - interval '24 hours'
  order by taken.place
`;

/** Replaces those that are older than they are kept. Touches no row where a fresh one is there after all. */
export const IDEMPOTENCY_ADD = sql`
  insert into idempotency_key as kept (owner, key, request_hash, response)
  select owner, key, request_hash, response
  from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[]) as new (owner, key, request_hash, response)
  order by owner collate "C", key collate "C"
  on conflict (owner, key) do update
  set request_hash = excluded.request_hash,
      response = excluded.response,
      created_at = now()
  where kept.created_at <= now() - interval '24 hours'
`;

export const IDEMPOTENCY_PURGE = sql`
  delete from idempotency_key
  where created_at < now() - interval '24 hours'
`;
