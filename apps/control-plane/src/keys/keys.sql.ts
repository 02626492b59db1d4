import { sql } from '../database/sql.js';

/** What verifying needs, by the id that the key itself carries: one row for each secret it has or had. */
export const KEY_TO_VERIFY = sql`
  select id, name, role, owner, prefix, revoked_at, expires_at, now() >= expires_at as is_expired,
    secret.hash as secret_hash, secret.number as secret_number, secret.ends_at, now() >= secret.ends_at as is_replaced
  from api_key
  cross join lateral (
    select api_key.secret_hash as hash, api_key.secret_number as number, null::timestamptz as ends_at
    union all
    select secret_hash, number, ends_at from key_secret_before where key_id = api_key.id
  ) as secret
  where id = $1
`;

export const KEY_INSERT = sql`
  insert into api_key (id, name, role, owner, secret_hash, prefix, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7)
`;

export const KEY_SHOWN = sql`
  select id, name, role, owner, prefix, created_at, expires_at, revoked_at, last_used_at, rotated_at, (
    select max(ends_at) from key_secret_before where key_id = api_key.id and ends_at > now()
  ) as overlap_ends_at
  from api_key
  where id = $1
`;

/** Newest first; revoked keys stay, so that a name in an event can still be explained. */
export const KEYS_ALL = sql`
  select id, name, role, owner, prefix, created_at, expires_at, revoked_at, last_used_at, rotated_at, (
    select max(ends_at) from key_secret_before where key_id = api_key.id and ends_at > now()
  ) as overlap_ends_at
  from api_key
  order by id desc
`;

/** Revoking twice keeps the first moment. */
export const KEY_REVOKE = sql`
  update api_key
  set revoked_at = coalesce(revoked_at, now())
  where id = $1
`;

/**
 * What agents that came with the key say counts no more, whichever replica hears it: in the transaction that revokes it, so
 * that no lease is renewed and no attempt ended by it afterwards. Their leases run out.
 */
export const WORKERS_FENCE = sql`
  update worker
  set is_fenced = true
  where id in (
    select id
    from worker
    where key_id = $1
      and removed_at is null
    order by id collate "C"
    for no key update
  )
    and not is_fenced
  returning id
`;

/** The key whose secret is to be replaced, held until the commit. */
export const KEY_TO_ROTATE = sql`
  select id, name, role, owner, revoked_at, expires_at, now() >= expires_at as is_expired, (
    select count(*)::int from key_secret_before where key_id = api_key.id and ends_at > now()
  ) as overlapping
  from api_key
  where id = $1
  for no key update
`;

/** Every secret before ends after the new overlap ($2 seconds), or earlier where an earlier rotation said so. */
export const SECRETS_BEFORE_SHORTEN = sql`
  update key_secret_before
  set ends_at = least(ends_at, now() + $2::double precision * interval '1 second')
  where key_id = $1
`;

/** The newest secret becomes one of those before. */
export const SECRET_RETIRE = sql`
  insert into key_secret_before (key_id, number, secret_hash, ends_at)
  select id, secret_number, secret_hash, now() + $2::double precision * interval '1 second'
  from api_key
  where id = $1
`;

/** Replaced secrets are remembered for a month, so that who still sends one is told what happened to it. */
export const SECRETS_FORGET = sql`
  delete from key_secret_before
  where key_id = $1
    and ends_at < now() - interval '30 days'
`;

export const KEY_ROTATE = sql`
  update api_key
  set secret_hash = $2,
      secret_number = secret_number + 1,
      rotated_at = now()
  where id = $1
`;

/** Other admin keys that still work: the last one is not revoked, because nobody could make another. */
export const ADMIN_KEYS_BESIDE = sql`
  select count(*)::int as count
  from api_key
  where role = 'admin'
    and id <> $1
    and revoked_at is null
    and (expires_at is null or expires_at > now())
`;

export const KEY_OF_ROLE_EXISTS = sql`
  select 1 as found
  from api_key
  where role = $1
    and revoked_at is null
    and (expires_at is null or expires_at > now())
  limit 1
`;

export const KEYS_USED = sql`
  update api_key
  set last_used_at = greatest(last_used_at, now())
  where id = any($1)
`;

export const KEY_EVENT_INSERT = sql`
  insert into event (id, type, actor, data)
  values ($1, $2, $3, $4)
`;

/** Which of these secrets ($2) of these keys ($1) work no more, and whether it is the whole key that does not. */
export const CREDENTIALS_ENDED = sql`
  select used.key_id, used.number,
    case when api_key.revoked_at is not null or api_key.expires_at <= now() then 'key' else 'secret' end as ended_by
  from unnest($1::text[], $2::integer[]) as used (key_id, number)
  join api_key on api_key.id = used.key_id
  where api_key.revoked_at is not null
    or api_key.expires_at <= now()
    or (
      used.number <> api_key.secret_number
      and not exists (
        select from key_secret_before as before
        where before.key_id = used.key_id
          and before.number = used.number
          and before.ends_at > now()
      )
    )
`;

/** The database's clock, by which moments are bounded. */
export const KEYS_NOW = sql`select now() as now`;
