import { sql } from '../database/sql.js';

/**
 * Loading and locking the rows of a batch, in the order every transaction keeps: workers, jobs, attempts, each by id.
 * Each step is its own statement, because a statement that waited for a lock still sees the tables as they were before.
 */

/**
 * The database's clock, and the workers. One row without a worker where none was found. The clock is read first, so that a
 * decision is never younger than the locks it waited for.
 */
export const WORKERS_LOCK = sql`
  with clock as materialized (
    select floor(extract(epoch from clock_timestamp()) * 1000)::double precision as now_ms
  )
  select clock.now_ms, held.*
  from clock
  left join lateral (
    select id, name, owner, session, instance_id, slots, slots_usable, slots_ordered, slots_said, gpus_held, is_paused, maintenance, is_fenced, link, last_beat_at, removed_at
    from worker
    where id = any($1::text[])
    order by id collate "C"
    for no key update
  ) as held on true
`;

/** Workers that are only looked at. */
export const WORKERS_READ = sql`
  select id, name, owner, session, instance_id, slots, slots_usable, slots_ordered, slots_said, gpus_held, is_paused, maintenance, is_fenced, link, last_beat_at, removed_at
  from worker
  where id = any($1::text[])
`;

/** Named jobs ($1), those of named attempts ($2), and those of the live attempts of locked workers ($3). */
export const JOBS_LOCK = sql`
  select id, owner, spec, status, desired, force, reason, reason_detail, priority, epoch, attempt_count, current_attempt_id,
    failures, losses, refusals, losses_while_running, not_before, queue_until, created_at, started_at, finished_at, exit
  from job
  where id in (
    select unnest($1::text[])
    union
    select job_id from attempt where id = any($2::text[])
    union
    select job_id from attempt where worker_id = any($3::text[]) and is_live
  )
  order by id collate "C"
  for no key update
`;

/**
 * Named attempts ($2), live ones of workers ($3), and the newest of each job that was locked, which is the live one if any
 * is. Fixed once workers and jobs are locked. The parameters are those of JOBS_LOCK.
 */
export const ATTEMPTS_LOCK = sql`
  with named as (
    select id, job_id from attempt where id = any($2::text[])
    union
    select id, job_id from attempt where worker_id = any($3::text[]) and is_live
  ), concerned as (
    select unnest($1::text[]) as job_id
    union
    select job_id from named
  )
  select id, job_id, worker_id, number, epoch, state, outcome, exit, detail, gpus, lease_until, offered_at, started_at, ended_at,
    containment, usage, leftovers, log_id, proofs, granted_session
  from attempt
  where id in (
    select id from named
    union
    select newest.id
    from concerned
    cross join lateral (
      select id from attempt where attempt.job_id = concerned.job_id order by number desc limit 1
    ) as newest
  )
  order by id collate "C"
  for no key update
`;
