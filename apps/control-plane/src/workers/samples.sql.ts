import { sql } from '../database/sql.js';

/** Locked in the common order first: workers before jobs, each by id. With the faults that were told last. */
export const SAMPLE_WORKERS_LOCK = sql`
  select id, name, coalesce(sample -> 'faults', '[]') as faults
  from worker
  where id = any($1::text[])
  order by id collate "C"
  for no key update
`;

export const WORKER_SAMPLES_STORE = sql`
  update worker
  set sample = new.sample,
      latency_ms = new.latency_ms
  from unnest($1::text[], $2::jsonb[], $3::double precision[]) as new (id, sample, latency_ms)
  where worker.id = new.id
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
