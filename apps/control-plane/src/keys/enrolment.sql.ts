import { sql } from '../database/sql.js';

export const TOKEN_INSERT = sql`
  insert into enrolment_token (id, name, owner, secret_hash, prefix, expires_at)
  values ($1, $2, $3, $4, $5, $6)
  returning id, name, owner, prefix, created_at, expires_at, revoked_at, used_at, key_id
`;

/** Newest first; used, expired and revoked ones too. */
export const TOKENS_ALL = sql`
  select id, name, owner, prefix, created_at, expires_at, revoked_at, used_at, key_id
  from enrolment_token
  order by id desc
`;

/** Revoking twice keeps the first moment. A key that was made of it is another matter. */
export const TOKEN_REVOKE = sql`
  update enrolment_token
  set revoked_at = coalesce(revoked_at, now())
  where id = $1
  returning id, name, owner, prefix, created_at, expires_at, revoked_at, used_at, key_id
`;

export const TOKEN_TO_VERIFY = sql`
  select id, prefix, secret_hash, revoked_at, expires_at, now() >= expires_at as is_expired
  from enrolment_token
  where id = $1
`;

/** Held until the commit: of two machines that exchange it at once the second sees what the first did. */
export const TOKEN_TO_EXCHANGE = sql`
  select id, name, owner, prefix, revoked_at, expires_at, now() >= expires_at as is_expired, used_at, key_id, exchange_hash
  from enrolment_token
  where id = $1
  for update
`;

export const TOKEN_USE = sql`
  update enrolment_token
  set used_at = now(),
      key_id = $2,
      exchange_hash = $3
  where id = $1
    and used_at is null
`;

/** Whether the key is still the one that was made of the token, secret and all. */
export const KEY_AS_MADE = sql`
  select revoked_at is null and secret_number = 1 as is_as_made
  from api_key
  where id = $1
`;
