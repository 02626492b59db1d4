import { sql } from '../database/sql.js';

/**
 * Holds the key that a hello came with, so that it is revoked before or after the whole hello: else a revocation would not
 * see the worker come to the key, nor the hello the revocation. Taken before any worker, as revoking does.
 */
export const KEY_HOLD = sql`
  select revoked_at is not null as is_revoked
  from api_key
  where id = $1
  for share
`;

/**
 * The worker a hello is about: by the id it was given ($1), if it is the same owner's ($2), else by its machine and key.
 * A key has an owner, who may replace it: the machine stays the same worker under the new key. Name and slots are those that its
 * agent said, whatever people set.
 */
export const WORKER_FIND = sql`
  select id, coalesce(said ->> 'name', name) as name, removed_at is not null as is_removed, inventory, coalesce(slots_said, slots) as slots,
    agent_version
  from worker
  where (id = $1 and owner = $2)
    or (key_id = $3 and machine_id = $4 and removed_at is null)
  order by (id = $1) is true desc
  limit 1
  for no key update
`;

/** Nothing happens when the same machine registers on another connection at this moment: then it is found. */
export const WORKER_REGISTER = sql`
  insert into worker (id, machine_id, key_id, owner, name, agent_version, boot_id, capability, content_types, labels, inventory, slots, address)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9::text[], $10::jsonb, $11::jsonb, $12::integer, $13)
  on conflict (key_id, machine_id) where removed_at is null do nothing
  returning id
`;

/** How many workers a key ($1) has, counted to $2. */
export const WORKERS_OF_KEY = sql`
  select count(*)::int as count
  from (
    select from worker where key_id = $1 and removed_at is null limit $2
  ) as counted
`;

/** What an agent says of its machine; what people set stands above that. */
export const WORKER_REFRESH = sql`
  update worker
  set name = coalesce(overrides ->> 'name', $2),
      agent_version = $3,
      boot_id = $4,
      capability = coalesce(overrides ->> 'capability', $5),
      content_types = case
        when overrides ? 'contentTypes' then array(select jsonb_array_elements_text(overrides -> 'contentTypes'))
        else $6::text[]
      end,
      labels = coalesce(overrides -> 'labels', $7::jsonb),
      said = jsonb_build_object('name', $2::text, 'capability', $5::text, 'contentTypes', $6::text[], 'labels', $7::jsonb),
      inventory = $8::jsonb,
      -- The key it came with, unless another worker of that key has the same machine id (a copied state directory).
      key_id = case
        when exists (
          select from worker other
          where other.key_id = $9 and other.machine_id = worker.machine_id and other.id <> worker.id and other.removed_at is null
        ) then key_id
        else $9
      end,
      address = coalesce($10, address),
      -- What was measured was the way of another connection.
      latency_ms = null,
      -- Whoever comes with a key that works is heard again.
      is_fenced = false
  where id = $1
  returning name
`;

/** From now on this replica dispatches to the worker, as long as the session is the newest. */
export const WORKER_ATTACH = sql`
  update worker
  set replica_id = $3
  where id = $1
    and session = $2
`;

/** WORKER_ATTACH for workers ($1) with their sessions ($2), where another replica ($3 is this one) or none is stored. */
export const WORKERS_ATTACH = sql`
  update worker
  set replica_id = $3
  where id in (
    select worker.id
    from unnest($1::text[], $2::integer[]) as heard (id, session)
    join worker on worker.id = heard.id and worker.session = heard.session
    where worker.replica_id is distinct from $3
      and worker.removed_at is null
    order by worker.id collate "C"
    for no key update of worker
  )
`;

/** Zero rows when the worker has meanwhile connected to another replica, or is a newer session than the one that left ($3). */
export const WORKER_DETACH = sql`
  update worker
  set replica_id = null
  where id = $1
    and replica_id = $2
    and session <= $3
`;
