import { sql } from '../../database/sql.js';

/**
 * Renews what plain beats name, all in one statement, and says of which. Of a beat of worker `$1` in session `$2`, whose agent
 * says that it wants no offers (`$3`), how many slots are free (`$4`), which GPUs are held (`$5`, ascending) and how many
 * executions run (`$6`), listed as worker (`$7`), attempt (`$8`) and epoch (`$9`); `$10` is W in milliseconds.
 *
 * A beat is plain when the reducer would change nothing by it but the time of the worker's last beat and the ends of the
 * leases of its attempts, and would order nothing: each condition here is one of the reducer's. Workers that are drained are
 * left to it, because it asks of each of their jobs whether it must leave. A beat that is not in the answer has changed
 * nothing, and is for the reducer. Jobs are read and not locked: nothing of theirs changes, and whoever changes a job in this
 * moment tells its worker himself, as if the beat had come before. Where two rows of a list are the same, nothing is plain.
 */
export const BEATS_RENEW = sql`
  with clock as materialized (
    select date_trunc('milliseconds', clock_timestamp()) as at
  ), heard as materialized (
    select worker.id, worker.session, worker.slots, said.running, clock.at
    from clock
    cross join unnest($1::text[], $2::integer[], $3::boolean[], $4::integer[], $5::text[], $6::integer[])
      as said (id, session, is_paused, slots_free, gpus_held, running)
    join worker on worker.id = said.id
    where worker.session = said.session
      and worker.link = 'connected'
      and worker.removed_at is null
      and not worker.is_fenced
      and (worker.maintenance is null or worker.maintenance ->> 'kind' = 'cordon')
      and worker.is_paused = said.is_paused
      and worker.slots_usable = greatest(0, least(worker.slots, said.slots_free + said.running))
      and worker.gpus_held = said.gpus_held::integer[]
    order by worker.id collate "C"
    for no key update of worker
  ), held as materialized (
    select attempt.id, attempt.worker_id, job.spec -> 'disconnect' as disconnect
    from heard
    join unnest($7::text[], $8::text[], $9::integer[]) as named (worker_id, attempt_id, epoch) on named.worker_id = heard.id
    join attempt on attempt.id = named.attempt_id
    join job on job.id = attempt.job_id
    where attempt.worker_id = heard.id
      and attempt.epoch = named.epoch
      and attempt.granted_session = heard.session
      and attempt.state = 'running'
      and (attempt.lease_until is null or attempt.lease_until > heard.at)
      and job.attempt_count = attempt.number
      and job.status = 'running'
      and job.desired = 'run'
      and job.reason not in ('starting', 'pausing', 'frozen', 'resuming', 'workerSuspect', 'workerUnreachable')
    order by attempt.id collate "C"
    for no key update of attempt
  ), plain as materialized (
    select heard.id, heard.slots, heard.at
    from heard
    where heard.running = (select count(*) from held where held.worker_id = heard.id)
  ), lengths as materialized (
    select held.id, plain.id as worker_id, plain.slots, plain.at,
      case
        when held.disconnect ->> 'onWorkerLost' = 'wait' then null
        else $10::double precision + (held.disconnect -> 'lostAfterSeconds')::double precision * 1000
      end as lease_ms
    from plain
    left join held on held.worker_id = plain.id
  ), leases as (
    update attempt
    set lease_until = lengths.at + lengths.lease_ms * interval '1 ms'
    from lengths
    where attempt.id = lengths.id
  ), beats as (
    update worker
    set last_beat_at = plain.at
    from plain
    where worker.id = plain.id
  )
  select worker_id, slots, id as attempt_id, lease_ms
  from lengths
`;
