import { sql } from '../database/sql.js';

/** Zero rows when the attempt has a token already: it is shown once, so there is never another. */
export const JOB_TOKEN_ADD = sql`
  insert into job_token (attempt_id, secret_hash)
  values ($1, $2)
  on conflict do nothing
`;

/**
 * The token of an attempt, and the term it speaks for: that of the attempt, or of the one that was granted since to go on with the
 * same process (same log, same worker).
 */
export const JOB_TOKEN_TO_VERIFY = sql`
  select job_token.secret_hash, term.id as attempt_id, term.epoch, term.log_id, term.job_id, term.worker_id, worker.session, worker.owner,
    worker.is_fenced, worker.removed_at is not null as is_removed
  from job_token
  join attempt minted on minted.id = job_token.attempt_id
  cross join lateral (
    select id, epoch, log_id, job_id, worker_id
    from attempt
    where attempt.job_id = minted.job_id
      and attempt.log_id = minted.log_id
      and attempt.worker_id = minted.worker_id
    order by number desc
    limit 1
  ) as term
  join worker on worker.id = term.worker_id
  where job_token.attempt_id = $1
`;
