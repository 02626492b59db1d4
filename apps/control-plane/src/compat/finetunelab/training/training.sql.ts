import { sql } from '../../../database/sql.js';

/** How the attempt that a token speaks for stands; `ran_ms` by the database's clock. */
export const TRAINING_STANDING = sql`
  select state, outcome, detail, floor(extract(epoch from now() - started_at) * 1000)::double precision as ran_ms,
    ended_at < now() - $2::double precision * interval '1 ms' as is_past_retention
  from attempt
  where id = $1
`;

/** Held to the end of the transaction by whoever appends lines to a log ($1). */
export const TRAINING_LOG_LOCK = sql`select pg_advisory_xact_lock(hashtextextended($1, 6878007))`;

export const TRAINING_LOG_HEAD = sql`
  select stored_length, line_count
  from log_stream
  where log_id = $1
    and stream = 'output'
`;

/** Two reports of one job come one after the other. */
export const TRAINING_METRICS_LOCK = sql`
  select log_id
  from metric_stream
  where log_id = $1
  for no key update
`;

/** Points of these steps ($2) that other points will take the place of. */
export const TRAINING_METRICS_REPLACED = sql`
  delete from metric_point
  where log_id = $1
    and (sent ->> 'step')::double precision = any($2::double precision[])
`;

/** A row when more points than $2 are stored; `greatest` because an offset is never negative. */
export const TRAINING_METRICS_FULL = sql`
  select seq
  from metric_point
  where log_id = $1
    and sent is not null
  order by seq
  limit 1
  offset greatest(0, $2::bigint)
`;

/** What we show of a point, and the point as it was sent. */
export const TRAINING_METRICS_ADD = sql`
  insert into metric_point (log_id, step, at, "values", sent)
  select $1, step, coalesce(at, now()), "values", sent
  from unnest($2::bigint[], $3::timestamptz[], $4::jsonb[], $5::jsonb[]) with ordinality as point (step, at, "values", sent, place)
  order by place
`;

export const TRAINING_METRICS_READ = sql`
  select sent
  from metric_point
  where log_id = $1
    and sent is not null
  order by (sent ->> 'step')::double precision, seq
`;
