import type { KeyId, KeyView, Role } from '@muster/protocol';

/** Columns of `api_key` that may be shown. */
export interface KeyRow {
  readonly id: KeyId;
  readonly name: string;
  readonly role: Role;
  readonly owner: string;
  readonly prefix: string;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
  readonly last_used_at: Date | null;
}

export function toKeyView(row: KeyRow): KeyView {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    owner: row.owner,
    prefix: row.prefix,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    revokedAt: row.revoked_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
  };
}
