import type { KeyId } from './ids.js';

export const ROLES = ['admin', 'operator', 'submitter', 'viewer', 'worker', 'site'] as const;
/** What a key may do. People: admin ⊃ operator ⊃ submitter ⊃ viewer. `worker`: agents only. `site`: one foreign adapter. */
export type Role = (typeof ROLES)[number];
/** Roles of people, weakest first: each may do what those before it may. */
export const PEOPLE_ROLES = ['viewer', 'submitter', 'operator', 'admin'] as const satisfies readonly Role[];

/**
 * Prefix of each role's secret. The whole key reads `<prefix><26 characters: body of the key's id><43 characters:
 * 32 random bytes, base64url><6 characters: checksum>`, so a scanner, and our parser, can tell a typo from a wrong key.
 */
export const KEY_PREFIXES: Record<Role, string> = {
  admin: 'mst_adm_', operator: 'mst_opr_', submitter: 'mst_sub_', viewer: 'mst_viw_', worker: 'wak_', site: 'mst_sit_',
};

/** A key as REST shows it; its secret is shown once, when it is made. */
export interface KeyView {
  readonly id: KeyId;
  readonly name: string;
  readonly role: Role;
  readonly owner: string;
  /** The first characters of the secret, enough to recognise it. */
  readonly prefix: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly lastUsedAt: string | null;
}

export interface CreatedKeyView extends KeyView {
  /** The secret, in full. Shown this once and stored nowhere. */
  readonly secret: string;
}
