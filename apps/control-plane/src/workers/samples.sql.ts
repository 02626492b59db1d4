import { sql } from '../database/sql.js';

/**
 * The newest looks ($2) at workers ($1) and the way to them ($3), and their places in series: of worker $4 the subject $5 measured
 * $6, received at this moment by the clock of the database. Two of one worker in one moment are one: the first is kept.
 * Answers with the faults that were told before. Workers are locked in the common order: before jobs, each by id.
 */
export const WORKER_SAMPLES_STORE = sql`
  with held as materialized (
    select id, name, coalesce(sample -> 'faults', '[]') as faults
    from worker
    where id = any($1::text[])
    order by id collate "C"
    for no key update
  ), stored as (
    update worker
    set sample = new.sample,
        latency_ms = new.latency_ms
    from unnest($1, $2::jsonb[], $3::double precision[]) as new (id, sample, latency_ms)
    join held on held.id = new.id
    where worker.id = new.id
  ), measured as (
    insert into sample_raw (worker_id, subject, at_ms, measured)
    select held.id, new.subject, floor(extract(epoch from now()) * 1000)::bigint, new.measured::double precision[]
    from unnest($4::text[], $5::text[], $6::text[]) as new (worker_id, subject, measured)
    join held on held.id = new.worker_id
    on conflict do nothing
  )
  select id, name, faults
  from held
`;

/**
 * Jobs nobody else was granted since, of attempts of the worker that speaks. The last line of a short job often arrives
 * after its end, and still counts.
 */
export const PROGRESS_JOBS_LOCK = sql`
  select job.id
  from unnest($1::text[], $2::integer[], $3::text[]) as said (attempt_id, epoch, worker_id)
  join attempt on attempt.id = said.attempt_id and attempt.epoch = said.epoch and attempt.worker_id = said.worker_id
  join job on job.id = attempt.job_id and job.epoch = attempt.epoch
  order by job.id collate "C"
  for no key update of job
`;

export const PROGRESS_STORE = sql`
  update job
  set progress_fraction = said.fraction,
      progress_message = said.message,
      progress_at = now()
  from unnest($1::text[], $2::text[], $3::double precision[], $4::text[]) as said (attempt_id, worker_id, fraction, message)
  join attempt on attempt.id = said.attempt_id and attempt.worker_id = said.worker_id
  where job.id = attempt.job_id
    and job.epoch = attempt.epoch
    and job.id = any($5::text[])
`;
