import { sql } from '../database/sql.js';

/** Milliseconds since any replica could last write; null when none ever did. */
export const MARKS_GAP = sql`
  select (extract(epoch from clock_timestamp() - max(alive_at)) * 1000)::double precision as gap_ms
  from replica
`;

export const MARK_ALIVE = sql`
  insert into replica (id, alive_at)
  values ($1, clock_timestamp())
  on conflict (id) do update
  set alive_at = excluded.alive_at
`;

/** While no replica could write, nobody could renew: the time does not count. */
export const LEASES_EXTEND = sql`
  update attempt
  set lease_until = lease_until + $1::double precision * interval '1 ms'
  where id in (
    select id
    from attempt
    where is_live
      and lease_until is not null
    order by id collate "C"
    for no key update
  )
`;

/** Of replicas that were killed long ago. Not the newest one: call it after MARK_ALIVE. */
export const MARKS_FORGET = sql`
  delete from replica
  where alive_at < now() - interval '1 day'
`;

/** Keeps the mark unless another replica is alive: the last one says until when anybody was. */
export const MARK_REMOVE = sql`
  delete from replica
  where id = $1
    and exists (
      select from replica other
      where other.id <> $1
        and other.alive_at > clock_timestamp() - interval '10 seconds'
    )
`;

export const FLEET_SIZE = sql`
  select
    (select count(*) from worker where link = 'connected' and removed_at is null) as connected_count,
    (select count(*) from replica where id <> $1 and alive_at > clock_timestamp() - interval '10 seconds') as other_replicas
`;
