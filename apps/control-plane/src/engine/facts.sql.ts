import { sql } from '../database/sql.js';

/**
 * Loading and locking the rows of a batch, in the order every transaction keeps: workers, jobs, attempts, each by id.
 * Each step is its own statement, because a statement that waited for a lock still sees the tables as they were before.
 */

/** The database's clock. Read first, so that a decision is never younger than the locks it waited for. */
export const NOW = sql`select floor(extract(epoch from clock_timestamp()) * 1000)::double precision as now_ms`;

export const WORKERS_LOCK = sql`
  select id, name, owner, session, instance_id, slots, slots_usable, is_paused, link, last_beat_at, removed_at
  from worker
  where id = any($1::text[])
  order by id collate "C"
  for no key update
`;

/** Workers that are only looked at. */
export const WORKERS_READ = sql`
  select id, name, owner, session, instance_id, slots, slots_usable, is_paused, link, last_beat_at, removed_at
  from worker
  where id = any($1::text[])
`;

/** The jobs of named attempts ($1) and of the live attempts of locked workers ($2). Neither ever changes its job. */
export const JOBS_OF_ATTEMPTS = sql`
  select distinct job_id
  from (
    select job_id from attempt where id = any($1::text[])
    union all
    select job_id from attempt where worker_id = any($2::text[]) and state <> 'ended'
  ) as named
`;

export const JOBS_LOCK = sql`
  select id, owner, spec, status, desired, force, reason, reason_detail, priority, epoch, attempt_count, current_attempt_id,
    failures, losses, refusals, losses_while_running, not_before, created_at, started_at, finished_at, exit
  from job
  where id = any($1::text[])
  order by id collate "C"
  for no key update
`;

/**
 * Named attempts ($1), live ones of workers ($2), and the newest of each job ($3), which is the live one if any is. Fixed
 * once workers and jobs are locked.
 */
export const ATTEMPTS_LOCK = sql`
  select id, job_id, worker_id, number, epoch, state, outcome, exit, detail, gpus, lease_until, offered_at, started_at, ended_at,
    containment, usage, leftovers, log_id, proofs
  from attempt
  where id in (
    select id from attempt where id = any($1::text[])
    union
    select id from attempt where worker_id = any($2::text[]) and state <> 'ended'
    union
    select newest.id
    from unnest($3::text[]) as named (job_id)
    cross join lateral (
      select id from attempt where attempt.job_id = named.job_id order by number desc limit 1
    ) as newest
  )
  order by id collate "C"
  for no key update
`;
