import { sql } from '../database/sql.js';

/**
 * Pages of lists: ids, newest first, among a bounded number of jobs that are looked at. What an index can find ends a look
 * early: place ($1, $11), status ($2, all of them when it does not matter), owner ($3), beginning of the id ($8). What it cannot is asked of each job:
 * labels ($4), part of the name ($5), moments ($6, $7). What is null narrows nothing. At most $9 ids; `looked_to` is the last job looked at
 * when there are more behind it.
 */

/**
 * Each status is an ordered scan of its own, so that jobs of other statuses cost nothing, however many are newer. The scans
 * ask for ids alone, which indexes hold, and rows are read of those that are looked at; where nothing is asked of a row,
 * PostgreSQL leaves the outer join out.
 */
export const JOBS_PAGE = sql`
  with looked as materialized (
    select found.id
    from unnest($2::text[]) as wanted (status)
    cross join lateral (
      select id
      from job
      where status = wanted.status
        and ($1::text is null or id < $1)
        and ($11::text is null or id > $11)
        and ($3::text is null or owner = $3)
        and ($8::text is null or (id >= $8 and id <= $8 || repeat('Z', 26) and starts_with(id, $8)))
      order by id desc
      limit $10
    ) as found
    order by found.id desc
    limit $10
  )
  select
    (select case when count(*) = $10 then min(id) end from looked) as looked_to,
    array(
      select looked.id
      from looked
      left join job on job.id = looked.id
      where ($4::jsonb is null or job.labels @> $4)
        and ($5::text is null or position(lower($5) in lower(job.name)) > 0)
        and ($6::timestamptz is null or date_trunc('milliseconds', job.created_at) > $6)
        and ($7::timestamptz is null or date_trunc('milliseconds', job.created_at) < $7)
      order by looked.id desc
      limit $9
    ) as ids
`;

/** The same among the jobs that worker `$12` was ever given: its attempts in the order of their jobs. `$2` is null when no status matters. */
export const JOBS_PAGE_OF_WORKER = sql`
  with given as materialized (
    select distinct job_id
    from attempt
    where worker_id = $12::text
      and ($1::text is null or job_id < $1)
      and ($11::text is null or job_id > $11)
      and ($8::text is null or (job_id >= $8 and job_id <= $8 || repeat('Z', 26) and starts_with(job_id, $8)))
    order by job_id desc
    limit $10
  )
  select
    (select case when count(*) = $10 then min(job_id) end from given) as looked_to,
    array(
      select given.job_id
      from given
      left join job on job.id = given.job_id
      where ($2::text[] is null or job.status = any($2))
        and ($3::text is null or job.owner = $3)
        and ($4::jsonb is null or job.labels @> $4)
        and ($5::text is null or position(lower($5) in lower(job.name)) > 0)
        and ($6::timestamptz is null or date_trunc('milliseconds', job.created_at) > $6)
        and ($7::timestamptz is null or date_trunc('milliseconds', job.created_at) < $7)
      order by given.job_id desc
      limit $9
    ) as ids
`;

/**
 * The same among the jobs that have the labels `$4`, wherever they are, when those are no more than `$10`: rare ones are
 * found at once. Null when there are more.
 */
export const JOBS_PAGE_OF_LABELS = sql`
  with labelled as materialized (
    select id, status, owner, name, created_at
    from job
    where labels <> '{}'
      and labels @> $4::jsonb
    limit $10::integer + 1
  )
  select case when (select count(*) from labelled) <= $10 then array(
    select id
    from labelled
    where status = any($2::text[])
      and ($1::text is null or id < $1)
      and ($11::text is null or id > $11)
      and ($3::text is null or owner = $3)
      and ($5::text is null or position(lower($5) in lower(name)) > 0)
      and ($6::timestamptz is null or date_trunc('milliseconds', created_at) > $6)
      and ($7::timestamptz is null or date_trunc('milliseconds', created_at) < $7)
      and ($8::text is null or starts_with(id, $8))
    order by id desc
    limit $9
  ) end as ids
`;

/** A look for rare labels that read every job would be the very thing it is there to avoid. */
export const INDEXES_ONLY = sql`set local enable_seqscan = off`;
