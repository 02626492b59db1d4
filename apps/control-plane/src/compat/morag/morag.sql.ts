import { sql } from '../../database/sql.js';

/** The workers of one owner, oldest first, $2 at most. */
export const MORAG_OF_OWNER = sql`
  select foreign_id, registration, metrics, registered_at, last_beat_at, capability, slots, slots_usable, is_paused, link, has_faults, reported_status,
    active_count, takes_offers, is_in_maintenance, removed_at, silent_ms
  from worker_now
  where adapter = 'morag'
    and owner = $1
    and removed_at is null
  order by id
  limit $2
`;

export const MORAG_OF_OWNER_BY_ID = sql`
  select foreign_id, registration, metrics, registered_at, last_beat_at, capability, slots, slots_usable, is_paused, link, has_faults, reported_status,
    active_count, takes_offers, is_in_maintenance, removed_at, silent_ms
  from worker_now
  where adapter = 'morag'
    and owner = $1
    and foreign_id = $2
    and removed_at is null
`;
