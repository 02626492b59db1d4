import { sql } from '../database/sql.js';

export const FLEET_WORKERS = sql`
  select id, name, owner, session, instance_id, slots, slots_usable, slots_ordered, slots_said, gpus_held, is_paused, maintenance, is_fenced, link, last_beat_at, removed_at, capability,
    content_types, labels, inventory, replica_id is null as has_to_ask, reported_status
  from worker
  where removed_at is null
`;

export const FLEET_HELD = sql`
  select attempt.worker_id, attempt.gpus, job.spec -> 'needs' as needs
  from attempt
  join job on job.id = attempt.job_id
  where attempt.is_live
`;

/**
 * How many jobs in line go before each of these by priority and age. Counted to $2: each of the two ranges is read from the
 * index and no further. The order makes job_ahead the only index that serves: a shared plan took another, and read all of it.
 */
export const JOBS_AHEAD = sql`
  select waiting.id, least($2::integer, (
    select count(*)::integer
    from (
      select 1
      from job
      where status = 'queued'
        and not_before is null
        and -priority < -waiting.priority
      order by -priority, id
      limit $2
    ) as higher
  ) + (
    select count(*)::integer
    from (
      select 1
      from job
      where status = 'queued'
        and not_before is null
        and -priority = -waiting.priority
        and id < waiting.id
      limit $2
    ) as older
  )) as ahead
  from job as waiting
  where waiting.id = any($1::text[])
`;
