import { sql } from '../database/sql.js';

/** How many jobs ever went from one status to another, and how many of them since two moments. A few hundred short rows. */
export const TALLIES = sql`
  select from_status, to_status, sum(jobs)::bigint as jobs,
    coalesce(sum(jobs) filter (where minute >= date_trunc('minute', now()) - interval '5 minutes'), 0)::bigint as in_five_minutes,
    coalesce(sum(jobs) filter (where minute >= date_trunc('minute', now()) - interval '60 minutes'), 0)::bigint as in_hour
  from job_tally
  group by from_status, to_status
`;

/** The oldest in line is asked for by a range and an order that job_status_id alone serves: by id, all older jobs would be read. */
export const STATS_MOMENTS = sql`
  select now() as at, date_trunc('minute', now()) - interval '5 minutes' as five_minutes_ago,
    date_trunc('minute', now()) - interval '60 minutes' as hour_ago,
    (select created_at from job where status >= 'queued' and status <= 'queued' order by status desc, id limit 1) as oldest_queued_at
`;

/**
 * Folds the lines of a great many transactions into one for each kind and minute, and into one for each kind beyond the
 * longest window. Nothing to do below $1 lines. Others add lines meanwhile; two who fold never take the same one.
 */
export const TALLIES_FOLD = sql`
  with taken as (
    delete from job_tally
    where (select count(*) > $1::bigint from job_tally)
    returning minute, from_status, to_status, jobs
  )
  insert into job_tally (minute, from_status, to_status, jobs)
  select case when minute >= now() - interval '62 minutes' then minute end as kept, from_status, to_status, sum(jobs)
  from taken
  group by kept, from_status, to_status
`;
