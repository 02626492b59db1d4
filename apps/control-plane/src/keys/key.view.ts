import type { EnrolmentTokenId, EnrolmentTokenView, KeyId, KeyView, Role } from '@muster/protocol';

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
  readonly rotated_at: Date | null;
  readonly overlap_ends_at: Date | null;
}

/** Columns of `enrolment_token` that may be shown. */
export interface TokenRow {
  readonly id: EnrolmentTokenId;
  readonly name: string;
  readonly owner: string;
  readonly prefix: string;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly revoked_at: Date | null;
  readonly used_at: Date | null;
  readonly key_id: KeyId | null;
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
    rotatedAt: row.rotated_at?.toISOString() ?? null,
    overlapEndsAt: row.overlap_ends_at?.toISOString() ?? null,
  };
}

export function toTokenView(row: TokenRow): EnrolmentTokenView {
  return {
    id: row.id,
    name: row.name,
    owner: row.owner,
    prefix: row.prefix,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    revokedAt: row.revoked_at?.toISOString() ?? null,
    usedAt: row.used_at?.toISOString() ?? null,
    keyId: row.key_id,
  };
}
