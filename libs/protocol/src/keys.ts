import type { EnrolmentTokenId, KeyId } from './ids.js';

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

/** Prefix of a token that one machine exchanges, once, for a worker key of its own. Otherwise it reads like a key. */
export const ENROLMENT_PREFIX = 'mst_enr_';

/** Prefix of a token that opens the calls of one attempt, made when a worker claims it over REST. Otherwise it reads like a key. */
export const JOB_TOKEN_PREFIX = 'mst_job_';

/** Bounds and defaults of how long keys, tokens and replaced secrets live, in seconds. */
export const KEY_TIMES = {
  /** A key that expires does so within ten years. */
  lifetimeSecondsMax: 10 * 366 * 86_400,
  enrolmentSecondsDefault: 86_400,
  enrolmentSecondsMax: 30 * 86_400,
  /** How long a secret goes on working beside the one that replaced it. */
  overlapSecondsDefault: 86_400,
  overlapSecondsMax: 30 * 86_400,
} as const;

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
  /** When its secret was last replaced. */
  readonly rotatedAt: string | null;
  /** Until when a replaced secret still works; null when only the newest does. */
  readonly overlapEndsAt: string | null;
}

export interface CreatedKeyView extends KeyView {
  /** The secret, in full. Shown this once and stored nowhere. */
  readonly secret: string;
}

/** What a machine may exchange once for a worker key of its own, which belongs to the token's owner. */
export interface EnrolmentTokenView {
  readonly id: EnrolmentTokenId;
  readonly name: string;
  readonly owner: string;
  /** The first characters of the token, enough to recognise it. */
  readonly prefix: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly revokedAt: string | null;
  readonly usedAt: string | null;
  /** The key that was made of it. */
  readonly keyId: KeyId | null;
}

export interface CreatedEnrolmentTokenView extends EnrolmentTokenView {
  /** The token, in full. Shown this once and stored nowhere. */
  readonly token: string;
}
