import { sql } from '../database/sql.js';

export const FLEET_WORKERS = sql`
  select id, name, owner, session, instance_id, slots, slots_usable, is_paused, link, last_beat_at, removed_at, capability, content_types,
    labels, inventory
  from worker
  where removed_at is null
`;

export const FLEET_HELD = sql`
  select attempt.worker_id, attempt.gpus, job.spec -> 'needs' as needs
  from attempt
  join job on job.id = attempt.job_id
  where attempt.state <> 'ended'
`;

/** How many queued, due jobs go before each of these by priority and age. Counted to $2. */
export const JOBS_AHEAD = sql`
  select waiting.id, (
    select count(*)::integer
    from (
      select 1
      from job
      where job.status = 'queued'
        and (job.not_before is null or job.not_before <= now())
        and (job.priority > waiting.priority or (job.priority = waiting.priority and job.id < waiting.id))
      limit $2
    ) as counted
  ) as ahead
  from job as waiting
  where waiting.id = any($1::text[])
`;
