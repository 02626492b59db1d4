import { sql } from '../database/sql.js';

/** Whose worker that is, and which of its programs is the newest. */
export const WORKER_STANDING = sql`
  select owner, session, removed_at is not null as is_removed
  from worker
  where id = $1
`;

/** Which start of its programs the worker knows: the next one is made to be newer. */
export const WORKER_INSTANCE = sql`
  select instance_id
  from worker
  where id = $1
`;

/** It speaks over REST now: no replica holds a socket of this session. */
export const WORKER_UNBIND = sql`
  update worker
  set replica_id = null
  where id = $1
    and session = $2
    and replica_id is not null
`;

/** An attempt, whose it is, and who speaks for its worker. */
export const ATTEMPT_STANDING = sql`
  select attempt.id, attempt.epoch, attempt.log_id, attempt.worker_id, worker.owner, worker.session
  from attempt
  join worker on worker.id = attempt.worker_id
  where attempt.id = $1
`;
