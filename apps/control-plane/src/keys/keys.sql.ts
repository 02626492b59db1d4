import { sql } from '../database/sql.js';

/** What verifying needs, by the id that the key itself carries. */
export const KEY_TO_VERIFY = sql`
  select id, name, role, owner, prefix, secret_hash, revoked_at, expires_at, now() >= expires_at as is_expired
  from api_key
  where id = $1
`;

export const KEY_INSERT = sql`
  insert into api_key (id, name, role, owner, secret_hash, prefix, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7)
  returning id, name, role, owner, prefix, created_at, expires_at, revoked_at, last_used_at
`;

/** Newest first; revoked keys stay, so that a name in an event can still be explained. */
export const KEYS_ALL = sql`
  select id, name, role, owner, prefix, created_at, expires_at, revoked_at, last_used_at
  from api_key
  order by id desc
`;

/** Revoking twice keeps the first moment. */
export const KEY_REVOKE = sql`
  update api_key
  set revoked_at = coalesce(revoked_at, now())
  where id = $1
  returning id, name, role, owner, prefix, created_at, expires_at, revoked_at, last_used_at
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

/** Which of these keys work no more. */
export const KEYS_ENDED = sql`
  select id
  from api_key
  where id = any($1::text[])
    and (revoked_at is not null or expires_at <= now())
`;
