import { sql } from '../database/sql.js';

/*
 * All of them read `worker_now`: a worker with what it holds now. What the shown status is made of are the columns of
 * `WorkerStandingRow` (worker.view.ts), in each of them the same.
 */

/** Workers that were not removed, newest first. `$3`: part of the name, in any case. */
export const WORKERS_PAGE = sql`
  select *
  from worker_now
  where removed_at is null
    and ($1::text is null or id < $1)
    and ($3::text is null or position(lower($3) in lower(name)) > 0)
  order by id desc
  limit $2
`;

/** Of every worker that was not removed what its shown status is made of. */
export const WORKERS_STANDING = sql`
  select capability, slots, slots_usable, is_paused, link, reported_status, active_count, has_faults, silent_ms
  from worker_now
  where removed_at is null
`;

/** Also a removed one: names in old attempts lead here. */
export const WORKER_BY_ID = sql`
  select *
  from worker_now
  where id = $1
`;
