import { sql } from '../database/sql.js';

/** Workers that were not removed, newest first, with what they hold now. `$3`: part of the name, in any case. */
export const WORKERS_PAGE = sql`
  select worker.id, worker.key_id, worker.owner, worker.name, worker.agent_version, worker.capability, worker.content_types, worker.labels,
    worker.inventory, worker.slots, worker.slots_usable, worker.is_paused, worker.link, worker.sample, worker.registered_at,
    worker.last_beat_at, worker.completed_count, worker.failed_count, worker.run_seconds_total, held.count as active_count,
    coalesce(jsonb_array_length(worker.sample -> 'faults'), 0) > 0 as has_faults
  from worker
  cross join lateral (
    select count(*)::integer as count
    from attempt
    where attempt.worker_id = worker.id
      and attempt.state <> 'ended'
  ) as held
  where worker.removed_at is null
    and ($1::text is null or worker.id < $1)
    and ($3::text is null or position(lower($3) in lower(worker.name)) > 0)
  order by worker.id desc
  limit $2
`;

/** Of every worker that was not removed what its shown status is made of. */
export const WORKERS_STANDING = sql`
  select worker.capability, worker.slots, worker.slots_usable, worker.is_paused, worker.link, coalesce(held.count, 0) as active_count,
    coalesce(jsonb_array_length(worker.sample -> 'faults'), 0) > 0 as has_faults
  from worker
  left join (
    select worker_id, count(*)::integer as count
    from attempt
    where state <> 'ended'
    group by worker_id
  ) as held on held.worker_id = worker.id
  where worker.removed_at is null
`;

/** Also a removed one: names in old attempts lead here. */
export const WORKER_BY_ID = sql`
  select worker.id, worker.key_id, worker.owner, worker.name, worker.agent_version, worker.capability, worker.content_types, worker.labels,
    worker.inventory, worker.slots, worker.slots_usable, worker.is_paused, worker.link, worker.sample, worker.registered_at,
    worker.last_beat_at, worker.completed_count, worker.failed_count, worker.run_seconds_total, held.count as active_count,
    coalesce(jsonb_array_length(worker.sample -> 'faults'), 0) > 0 as has_faults
  from worker
  cross join lateral (
    select count(*)::integer as count
    from attempt
    where attempt.worker_id = worker.id
      and attempt.state <> 'ended'
  ) as held
  where worker.id = $1
`;
