import { PEOPLE_ROLES } from '@muster/protocol';
import type { KeyId, Role } from '@muster/protocol';
import type { Credential } from './credential.js';

/** Who asks: the key that was verified, and the owner who answers for it. */
export interface Caller extends Credential {
  readonly keyId: KeyId;
  readonly name: string;
  readonly role: Role;
  readonly owner: string;
}

/**
 * Least role of people, or `anyKey`: whoever holds a valid key, workers included. `enrolmentToken` is met by no key at all,
 * only by a token. `workerOrJob`: a worker's key, or the token of one attempt; whose attempt it is, the route asks.
 */
export type RequiredRole = (typeof PEOPLE_ROLES)[number] | 'anyKey' | 'worker' | 'workerOrJob' | 'enrolmentToken';

/** People's roles contain one another (admin, operator, submitter, viewer); a worker's key opens nothing of people's. */
export function mayAct(caller: Caller, required: RequiredRole): boolean {
  if (required === 'anyKey') return true;
  if (required === 'worker' || required === 'workerOrJob') return caller.role === 'worker';
  return required !== 'enrolmentToken' && rank(caller.role) >= rank(required);
}

function rank(role: Role): number {
  return PEOPLE_ROLES.findIndex((name) => name === role);
}
