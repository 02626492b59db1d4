import { sql } from '../database/sql.js';

/**
 * Puts jobs whose backoff is over back in line, 1,000 at most, and says how many, how many were due (counted to one
 * more), and in how many milliseconds the next one is. Those still waiting stand in no lane, so that any number of them
 * costs a claim nothing. Run by itself: it locks jobs, and a claim locks workers first.
 */
export const BACKOFFS_END = sql`
  with over as (
    update job
    set not_before = null
    where id in (
      select id
      from job
      where status = 'queued'
        and not_before is not null
        and not_before <= now()
      order by not_before
      limit 1000
      for no key update skip locked
    )
    returning 1
  )
  select (select count(*) from over) as ended, due.count as due, (extract(epoch from next.at - now()) * 1000)::double precision as next_ms
  from (
    select count(*) as count
    from (
      select
      from job
      where status = 'queued'
        and not_before is not null
        and not_before <= now()
      limit 1001
    ) as counted
  ) as due
  cross join (
    select min(not_before) as at
    from job
    where status = 'queued'
      and not_before is not null
      and not_before > now()
  ) as next
`;

/**
 * What there is to grant and to whom, without locks: of the workers ($1) that are connected here ($2), or ask here for jobs ($4), those that
 * have a free slot and do not say themselves that they are unfit, and,
 * if there are any, the lanes with jobs in line, each with how many, counted to one more than there are free slots ($3 at most). Lanes
 * are found by a loose index scan: one descent of job_lane_head per lane, however many jobs wait in it.
 */
export const WORK_AND_ROOM = sql`
  with recursive room as materialized (
    select worker.id, least(worker.slots, worker.slots_usable) as slots, held.count as held
    from worker
    cross join lateral (
      select count(*)::integer as count
      from attempt
      where attempt.worker_id = worker.id
        and attempt.is_live
    ) as held
    where worker.id = any($1::text[])
      and (worker.replica_id = $2 or worker.id = any($4::text[]))
      and worker.takes_offers
      and coalesce(worker.reported_status, 'online') in ('online', 'busy')
      and held.count < least(worker.slots, worker.slots_usable)
  ), places as materialized (
    select least(coalesce(sum(slots - held), 0), $3::integer) + 1 as count
    from room
  ), queued as (
    (
      select lane_id
      from job
      where status = 'queued'
        and not_before is null
        and exists (select from room)
      order by lane_id
      limit 1
    )
    union all
    select (
      select job.lane_id
      from job
      where job.status = 'queued'
        and job.not_before is null
        and job.lane_id > queued.lane_id
      order by job.lane_id
      limit 1
    )
    from queued
    where queued.lane_id is not null
  )
  select queued.lane_id, waiting.count as waiting, null as worker_id, null as slots, null as held
  from queued
  cross join lateral (
    select count(*)::integer as count
    from (
      select 1
      from job
      where job.lane_id = queued.lane_id
        and job.status = 'queued'
        and job.not_before is null
      order by job.priority desc, job.id
      limit (select count from places)
    ) as head
  ) as waiting
  where queued.lane_id is not null
  union all
  select null, null, id, slots, held
  from room
`;

/** What lanes ask for; never changes, so it is read once per lane and process. */
export const LANES_READ = sql`
  select id, owner, needs
  from lane
  where id = any($1::bigint[])
`;

/** What matching compares of workers, without locks. It changes when an agent says hello. */
export const PROFILES_READ = sql`
  select id, name, capability, content_types, labels, inventory
  from worker
  where id = any($1::text[])
`;

/** The lock under which capacity is counted: whoever grants to a worker holds its row. Those that ask ($3) hold no socket anywhere. */
export const CLAIM_WORKERS = sql`
  select id, name, owner, session, instance_id, slots, slots_usable, slots_ordered, slots_said, gpus_held, is_paused, maintenance, is_fenced, link, last_beat_at, removed_at, capability,
    content_types, labels, inventory
  from worker
  where id = any($1::text[])
    and (replica_id = $2 or id = any($3::text[]))
    and takes_offers
    and coalesce(reported_status, 'online') in ('online', 'busy')
  order by id collate "C"
  for no key update
`;

/** What the locked workers hold. It can only shrink while their rows are locked. */
export const CLAIM_LIVE_ATTEMPTS = sql`
  select id, job_id, worker_id, number, epoch, state, outcome, exit, detail, gpus, lease_until, offered_at, started_at, ended_at,
    containment, usage, leftovers, log_id, proofs, granted_session
  from attempt
  where worker_id = any($1::text[])
    and is_live
`;

export const CLAIM_LIVE_JOBS = sql`
  select id, owner, spec, status, desired, force, reason, reason_detail, priority, epoch, attempt_count, current_attempt_id,
    failures, losses, refusals, losses_while_running, not_before, queue_until, created_at, started_at, finished_at, exit
  from job
  where id in (select job_id from attempt where worker_id = any($1::text[]) and is_live)
`;

/** What was offered to a worker and may still be started. */
export const OFFERS_OPEN = sql`
  select attempt.id as attempt_id, attempt.epoch, attempt.job_id, attempt.number, job.spec, attempt.gpus
  from attempt
  join job on job.id = attempt.job_id
  where attempt.worker_id = $1
    and attempt.is_live
    and attempt.state = 'offered'
    and attempt.lease_until > now()
  order by attempt.id
`;

/**
 * The heads of lanes ($1), as many of each as asked for ($2), locked. skip locked lets dispatchers pass each other
 * instead of queueing. Materialized, so that the planner cannot run the locking part again for a join. The clock is read
 * after a head was taken: no attempt is offered before the one that gave its job back had ended.
 */
export const CLAIM_HEADS = sql`
  with head as materialized (
    select locked.*
    from unnest($1::bigint[], $2::integer[]) as wanted (lane_id, count)
    cross join lateral (
      select id, lane_id, owner, spec, status, desired, force, reason, reason_detail, priority, epoch, attempt_count, current_attempt_id,
        failures, losses, refusals, losses_while_running, not_before, queue_until, created_at, started_at, finished_at, exit
      from job
      where job.lane_id = wanted.lane_id
        and job.status = 'queued'
        and job.not_before is null
      order by job.priority desc, job.id
      limit wanted.count
      for no key update skip locked
    ) as locked
  )
  select head.*, floor(extract(epoch from clock_timestamp()) * 1000)::double precision as now_ms
  from head
`;

/** How many slots each submitter holds: the fewest go first among equals. Asked only when several compete. */
export const ACTIVE_BY_OWNER = sql`
  select owner, count(*) as active
  from job
  where status in ('assigned', 'running', 'paused')
    and current_attempt_id is not null
  group by owner
`;
