import { sql } from '../database/sql.js';

/** The one lock of this room, for as long as the transaction lasts; false when another replica is at it. */
export const RETENTION_LOCK = sql`select pg_try_advisory_xact_lock($1::bigint) as is_mine`;

export const NOW_MS = sql`select floor(extract(epoch from now()) * 1000)::double precision as now_ms`;

/** The partitions of tables ($1), and what is left of partitions that were taken out of them but not dropped yet. */
export const PARTITIONS_OF = sql`
  select parent.relname as table, child.relname as name, pg_get_expr(child.relpartbound, child.oid) as bounds
  from unnest($1::text[]) as wanted (name)
  join pg_class parent on parent.oid = wanted.name::regclass
  join pg_class child on child.relnamespace = parent.relnamespace and child.relkind = 'r'
  where child.relname ~ ('^' || parent.relname || '_([0-9a-z]{10}|default)$')
    and (not child.relispartition or child.oid in (select inhrelid from pg_inherits where inhparent = parent.oid))
  order by parent.relname, child.relname
`;

export const PARTITION_ADD = sql`select partition_add($1, $2, $3, $4)`;
export const PARTITION_DETACH = sql`select partition_detach($1, $2)`;
export const PARTITION_DISCARD = sql`select partition_discard($1)`;

/** Events are owed as long as their job is there. One probe of an index. */
export const JOBS_BORN = sql`select exists (select from job where id >= $1 and id < $2) as is_owed`;

/** Metrics are owed as long as the attempt is there, which goes with its job. */
export const ATTEMPTS_BORN = sql`select exists (select from attempt where id >= $1 and id < $2) as is_owed`;

/** Samples are owed until the minutes of them are made, and minutes until the hours of them are. */
export const MINUTES_TO_MAKE = sql`
  select exists (select from sample_rollup where resolution = 'minute' and rolled_to_ms < $2::bigint and $1::bigint < $2) as is_owed
`;
export const HOURS_TO_MAKE = sql`
  select exists (select from sample_rollup where resolution = 'hour' and rolled_to_ms < $2::bigint and $1::bigint < $2) as is_owed
`;

/**
 * Looks at $3 attempts born from $1 to $2: the newest of them, and the oldest whose log is still owed: its job is not over
 * or was over less than $4 milliseconds ago, or so was an attempt of it, which may have gone on with the same log.
 */
export const LOGS_OWED = sql`
  with born as materialized (
    select id, job_id
    from attempt
    where id >= $1
      and id < $2
    order by id
    limit $3
  )
  select
    (select max(id) from born) as walked_to,
    (
      select born.id
      from born
      join job on job.id = born.job_id
      where job.finished_at is null
        or job.finished_at > now() - $4::double precision * interval '1 ms'
        or exists (
          select from attempt
          where attempt.job_id = born.job_id
            and (attempt.ended_at is null or attempt.ended_at > now() - $4::double precision * interval '1 ms')
        )
      order by born.id
      limit 1
    ) as owed_id
`;

/** Final jobs of one status, oldest birth first: no other can have been over for so long as those born before $3. */
export const JOBS_WALK = sql`
  select id, $4::double precision - extract(epoch from now() - finished_at)::double precision * 1000 as due_in_ms
  from job
  where status = $1
    and id > $2
    and id < $3
  order by id
  limit $5
`;

/** Decided again under the lock, in the one order that everybody keeps; those that somebody else has are left for later. */
export const JOBS_DUE_LOCK = sql`
  select id
  from job
  where id = any($1::text[])
    and finished_at < now() - $2::double precision * interval '1 ms'
  order by id collate "C"
  for update skip locked
`;

/**
 * Removes jobs and everything that hangs on them, except what lies in partitions that are dropped as a whole. What no partition was
 * there for lies in the default ones.
 */
export const JOBS_REMOVE = sql`
  with attempts as (
    delete from attempt where job_id = any($1::text[]) returning log_id
  ), streams as (
    delete from log_stream where log_id in (select log_id from attempts)
  ), metric_streams as (
    delete from metric_stream where log_id in (select log_id from attempts)
  ), chunks as (
    delete from log_chunk_default where log_id in (select log_id from attempts)
  ), points as (
    delete from metric_point_default where log_id in (select log_id from attempts)
  ), events as (
    delete from event_default where job_id = any($1::text[])
  ), jobs as (
    delete from job where id = any($1::text[]) returning status
  ), counted as (
    insert into job_tally (from_status, jobs) select status, count(*) from jobs group by status
  )
  select count(*)::integer as removed from jobs
`;

/** What happened to no job, oldest first. */
export const EVENTS_REMOVE = sql`
  delete from event_default
  where ctid = any(array(
    select ctid
    from event_default
    where job_id is null
      and at < now() - $1::double precision * interval '1 ms'
    order by at
    limit $2
  ))
`;
