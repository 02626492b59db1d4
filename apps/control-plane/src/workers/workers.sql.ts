import { sql } from '../database/sql.js';

/*
 * All of them read `worker_now`: a worker with what it holds now. What the shown status is made of are the columns of
 * `WorkerStandingRow` (worker.view.ts), in each of them the same.
 */

/**
 * The newest workers behind `$1`, `$2` of them at most, each with what it is asked for; nulls for those that are not what
 * `$3` (part of the name, in any case), `$4` (capabilities), `$5` (content type) and `$6` (owner) ask for. What is null
 * narrows nothing. Removed ones only with `$7`.
 */
export const WORKERS_LOOKED = sql`
  with looked as materialized (
    select id
    from worker
    where ($1::text is null or id < $1)
      and ($7::boolean or removed_at is null)
    order by id desc
    limit $2
  )
  select looked.id, capability, labels, slots, slots_usable, is_paused, link, reported_status, active_count, has_faults, takes_offers,
    is_in_maintenance, removed_at, silent_ms
  from looked
  left join worker_now on worker_now.id = looked.id
    and ($3::text is null or position(lower($3) in lower(worker_now.name)) > 0)
    and ($4::text[] is null or worker_now.capability = any($4))
    and ($5::text is null or $5 = any(worker_now.content_types))
    and ($6::text is null or worker_now.owner = $6)
  order by looked.id desc
`;

/** Also removed ones: names in old attempts lead here. Newest first. Without what a worker of another make registered with: that may be long. */
export const WORKERS_SHOWN = sql`
  select id, key_id, owner, name, agent_version, capability, content_types, labels, inventory, slots, slots_ordered, slots_said, slots_usable,
    is_paused, link, maintenance, overrides, said, sample, address, latency_ms, registered_at, last_beat_at, removed_at, takes_offers,
    completed_count, failed_count, run_seconds_total, adapter, foreign_id, features, load, metrics, reported_status, active_count,
    is_in_maintenance, has_faults, silent_ms
  from worker_now
  where id = any($1::text[])
  order by id desc
`;

/**
 * How many workers that were not removed stand alike. Of the silence only what it is in whole times of W ($1), at most one:
 * so there are few kinds, however many workers there are.
 */
export const WORKERS_STANDING = sql`
  select capability, slots, slots_usable, is_paused, link, reported_status, active_count, has_faults, takes_offers, is_in_maintenance,
    removed_at, least(floor(silent_ms / $1), 1) * $1::double precision as silent_ms, count(*)::integer as count
  from worker_now
  where removed_at is null
  group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
`;
