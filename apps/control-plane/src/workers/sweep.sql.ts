import { sql } from '../database/sql.js';

/** Found without locks and decided again under them: any number of replicas may look at once. */

/**
 * Workers whose link looks better than their silence ($1: two beat intervals, $2: W, in milliseconds). Those of another make beat
 * at intervals of their own.
 * The first bound is the index's: those that are heard cost nothing, however many they are.
 */
export const WORKERS_SILENT = sql`
  select id
  from worker
  where removed_at is null
    and link <> 'unreachable'
    and last_beat_at < now() - least($1::double precision, $2) * interval '1 ms'
    and ((link = 'connected' and adapter is null) or last_beat_at < now() - $2::double precision * interval '1 ms')
  order by last_beat_at
  limit 500
`;

/**
 * Leases that are over, except of what runs on spared workers ($1): those stay due for as long as the silence lasts, and
 * would fill the limit for everybody else.
 */
export const LEASES_OVER = sql`
  select attempt.id, attempt.state
  from attempt
  where attempt.is_live
    and attempt.lease_until <= now()
    and (attempt.state = 'offered' or attempt.worker_id not in (select unnest($1::text[])))
  order by attempt.lease_until
  limit 500
`;

/** The queue limit counts until the first start. */
export const QUEUE_LIMITS_PASSED = sql`
  select id
  from job
  where status = 'queued'
    and queue_until <= now()
    and started_at is null
  order by queue_until
  limit 500
`;

/** When each worker that ever beat was last heard, newest first. */
export const LAST_BEATS = sql`
  select id, floor(extract(epoch from now() - last_beat_at) * 1000)::double precision as silent_ms
  from worker
  where removed_at is null
    and last_beat_at is not null
  order by last_beat_at desc
`;

/** One alert per silence: none while an equal one is younger than $2 milliseconds. */
export const ALERT_ADD = sql`
  insert into event (id, type, actor, data)
  select $1, 'alert.massSilence', 'muster', $3::jsonb
  where not exists (
    select from event
    where type = 'alert.massSilence'
      and at > now() - $2::double precision * interval '1 ms'
  )
`;
