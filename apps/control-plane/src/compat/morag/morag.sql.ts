import { sql } from '../../database/sql.js';

/** The workers of one owner, oldest first. */
export const MORAG_OF_OWNER = sql`
  select *
  from worker_now
  where adapter = 'morag'
    and owner = $1
    and removed_at is null
  order by id
`;

export const MORAG_OF_OWNER_BY_ID = sql`
  select *
  from worker_now
  where adapter = 'morag'
    and owner = $1
    and foreign_id = $2
    and removed_at is null
`;
