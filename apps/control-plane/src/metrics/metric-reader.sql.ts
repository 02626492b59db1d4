import { sql } from '../database/sql.js';

/** The points of every execution of a job, in the order they were printed: tries do not overlap in time, so `seq` orders them too. */
export const METRICS_OF_JOB = sql`
  select point.seq, point.log_id as attempt_id, point.step, point.at, point."values"
  from metric_point point
  where point.log_id in (select log_id from attempt where job_id = $1)
    and point.seq > $2
  order by point.seq
  limit $3
`;

export const JOB_EXISTS = sql`
  select id
  from job
  where id = $1
`;
