import { sql } from '../database/sql.js';

/** The worker that another system ($1) knows by this id ($2), whoever's it is. */
export const FOREIGN_FIND = sql`
  select id, owner, name
  from worker
  where adapter = $1
    and foreign_id = $2
    and removed_at is null
`;

/**
 * Registrations of one worker take turns, to the end of the transaction: those by several keys of its owner would otherwise wait for
 * one another in a circle.
 */
export const FOREIGN_LOCK = sql`select pg_advisory_xact_lock(hashtextextended($1 || chr(10) || $2, 6878006))`;

/**
 * What a worker registered with, in the transaction that made or found it; where its system has no ids of its own it goes by ours
 * ($3). What it does not tell when it registers ($6, $7) stays.
 */
export const FOREIGN_STORE = sql`
  update worker
  set adapter = $2,
      foreign_id = $3,
      registration = $4::jsonb,
      features = $5::text[],
      load = coalesce($6::integer, load),
      metrics = coalesce($7::jsonb, metrics),
      reported_status = 'online'
  where id = $1
`;

/**
 * What a heartbeat says of the worker that another system ($1) knows by this id ($2), unless it is somebody else's ($3; null: whoever
 * knows the id may speak). What it does not tell stays.
 */
export const FOREIGN_REPORT = sql`
  update worker
  set reported_status = $4,
      load = coalesce($5::integer, load),
      metrics = coalesce($6::jsonb, metrics)
  where adapter = $1
    and foreign_id = $2
    and ($3::text is null or owner = $3)
    and removed_at is null
    and not is_fenced
  returning id, session, slots, (
    select coalesce(jsonb_agg(jsonb_build_object('attemptId', attempt.id, 'jobId', attempt.job_id, 'epoch', attempt.epoch, 'state', attempt.state)), '[]')
    from attempt
    where attempt.worker_id = worker.id
      and attempt.is_live
  ) as held
`;
