import { sql } from '../../database/sql.js';

/**
 * Renews what plain beats name, all in one statement, and says of which. Of a beat of worker `$1` in session `$2`, whose agent
 * says that it wants no offers (`$3`), how many slots are free (`$4`), which GPUs are held (`$5`, ascending) and how many
 * executions run (`$6`), listed as worker (`$7`), attempt (`$8`), epoch (`$9`) and session (`$10`); `$11` is W in milliseconds.
 *
 * A beat is plain when the reducer would change nothing by it but the time of the worker's last beat and the ends of the
 * leases of its attempts, and would order nothing: each condition here is one of the reducer's. Workers that are drained are
 * left to it, because it asks of each of their jobs whether it must leave. A beat that is not in the answer has changed
 * nothing, and is for the reducer. Jobs are read and not locked: nothing of theirs changes, and whoever changes a job in this
 * moment tells its worker himself, as if the beat had come before. Where two rows of a list are the same, nothing is plain.
 *
 * The clock is read before any lock is waited for, and what another has written meanwhile may be later: neither time goes back,
 * unless by more than a lock is waited for (20 s): then the clock itself was set back.
 *
 * Each row is locked by its key, then judged: where a condition stands beside the key, a plan made for empty tables may read a
 * partial index whole. Nothing is joined but by key, so a batch costs what is in it. Attempts are locked after all workers are.
 */
export const BEATS_RENEW = sql`
  with clock as materialized (
    select date_trunc('milliseconds', clock_timestamp()) as at
  ), heard as materialized (
    select locked.id, locked.slots, said.running
    from clock
    cross join (
      select id, session, is_paused, slots_free, gpus_held, running
      from unnest($1::text[], $2::integer[], $3::boolean[], $4::integer[], $5::text[], $6::integer[])
        as list (id, session, is_paused, slots_free, gpus_held, running)
      order by id collate "C"
    ) as said
    cross join lateral (
      select id, session, link, removed_at, is_fenced, maintenance, is_paused, slots, slots_usable, gpus_held
      from worker
      where worker.id = said.id
        and clock.at is not null
      limit 1
      for no key update
    ) as locked
    where locked.session = said.session
      and locked.link = 'connected'
      and locked.removed_at is null
      and not locked.is_fenced
      and (locked.maintenance is null or locked.maintenance ->> 'kind' = 'cordon')
      and locked.is_paused = said.is_paused
      and locked.slots_usable = greatest(0, least(locked.slots, said.slots_free + said.running))
      and locked.gpus_held = said.gpus_held::integer[]
  ), workers as materialized (
    select count(*) as locked from heard
  ), held as materialized (
    select locked.id, locked.worker_id, job.disconnect
    from workers
    cross join clock
    cross join (
      select worker_id, attempt_id, epoch, session
      from unnest($7::text[], $8::text[], $9::integer[], $10::integer[]) as list (worker_id, attempt_id, epoch, session)
      order by attempt_id collate "C"
    ) as named
    cross join lateral (
      select id, worker_id, job_id, number, epoch, granted_session, state, lease_until
      from attempt
      where attempt.id = named.attempt_id
        and workers.locked > 0
      limit 1
      for no key update
    ) as locked
    cross join lateral (
      select attempt_count, status, desired, reason, spec -> 'disconnect' as disconnect
      from job
      where job.id = locked.job_id
      limit 1
    ) as job
    where locked.worker_id = named.worker_id
      and locked.epoch = named.epoch
      and locked.granted_session = named.session
      and locked.state = 'running'
      and (locked.lease_until is null or locked.lease_until > clock.at)
      and job.attempt_count = locked.number
      and job.status = 'running'
      and job.desired = 'run'
      and job.reason not in ('starting', 'pausing', 'frozen', 'resuming', 'workerSuspect', 'workerUnreachable')
  ), found as (
    select id as worker_id, slots, running, null as attempt_id, null::jsonb as disconnect
    from heard
    union all
    select worker_id, null, null, id, disconnect
    from held
  ), judged as (
    select found.*, count(slots) over of_worker as beats, sum(running) over of_worker as said, count(attempt_id) over of_worker as held
    from found
    window of_worker as (partition by worker_id)
  ), plain as materialized (
    select worker_id, slots, attempt_id, clock.at,
      case
        when attempt_id is null or disconnect ->> 'onWorkerLost' = 'wait' then null
        else $11::double precision + (disconnect -> 'lostAfterSeconds')::double precision * 1000
      end as lease_ms
    from judged
    cross join clock
    where beats = 1
      and said = held
  ), leases as (
    update attempt
    set lease_until = case
      when attempt.lease_until between ends.at and ends.at + interval '20 s' then attempt.lease_until
      else ends.at
    end
    from (select attempt_id, at + lease_ms * interval '1 ms' as at from plain) as ends
    where attempt.id = ends.attempt_id
  ), beats as (
    update worker
    set last_beat_at = case
      when worker.last_beat_at between plain.at and plain.at + interval '20 s' then worker.last_beat_at
      else plain.at
    end
    from plain
    where plain.attempt_id is null
      and worker.id = plain.worker_id
  )
  select worker_id, slots, attempt_id, lease_ms
  from plain
`;
