import { sql } from '../../database/sql.js';

/** What its agent said and what people set, locked: whoever changes either waits. */
export const WORKER_WORDS_LOCK = sql`
  select id, name, labels, content_types, capability, overrides, said, removed_at
  from worker
  where id = $1
  for no key update
`;

export const WORKER_WORDS_STORE = sql`
  update worker
  set overrides = $2::jsonb,
      said = $3::jsonb,
      name = $4,
      labels = $5::jsonb,
      content_types = $6::text[],
      capability = $7
  where id = $1
`;

/** What happened to the worker itself, oldest first; what happened to jobs there is told with the jobs. */
export const EVENTS_OF_WORKER = sql`
  select seq, id, type, at, actor, job_id, attempt_id, worker_id, data
  from event
  where worker_id = $1
    and job_id is null
    and seq > $2
  order by seq
  limit $3
`;

/** Workers whose drain has something to be done about: its deadline has passed, or nothing is held there any more. */
export const DRAINS_DUE = sql`
  select id
  from worker
  where maintenance is not null
    and removed_at is null
    and maintenance ->> 'kind' = 'drain'
    and maintenance ->> 'drainedMs' is null
    and (
      (maintenance ->> 'isOverdue' = 'false' and to_timestamp((maintenance ->> 'deadlineMs')::double precision / 1000.0) <= now())
      or not exists (
        select
        from attempt
        where attempt.worker_id = worker.id
          and attempt.is_live
      )
    )
  order by id
  limit 500
`;
