import { sql } from '../database/sql.js';

export const METRIC_STREAMS_ADD = sql`
  insert into metric_stream (log_id)
  select log_id
  from unnest($1::text[]) as wanted (log_id)
  order by log_id collate "C"
  on conflict do nothing
`;

export const METRIC_STREAMS_LOCK = sql`
  select log_id, stored_length
  from metric_stream
  where log_id = any($1::text[])
  order by log_id collate "C"
  for no key update
`;

export const METRIC_STREAMS_MOVE = sql`
  update metric_stream stream
  set stored_length = moved.to_length
  from unnest($1::text[], $2::bigint[], $3::bigint[]) as moved (log_id, from_length, to_length)
  where stream.log_id = moved.log_id
    and stream.stored_length = moved.from_length
`;

/** Points keep the order in which they were printed: `seq` is given in the order of the arrays. */
export const METRIC_POINTS_ADD = sql`
  insert into metric_point (log_id, step, at, "values")
  select log_id, step, at, "values"
  from unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::jsonb[]) with ordinality as point (log_id, step, at, "values", place)
  order by place
`;
