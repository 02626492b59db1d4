import { existsSync } from 'node:fs';
import { AgentKey } from './agent-key.js';
import { enrol, type EnrolmentOptions } from './enrolment.js';
import { StoredKey } from './stored-key.js';

export interface KeyOptions extends Omit<EnrolmentOptions, 'token' | 'stored'> {
  /** Given by people. */
  readonly key: string | undefined;
  /** Where it stands, if it was given by file. */
  readonly keyFile: string | undefined;
  readonly enrolmentToken: string | undefined;
}

/**
 * The key to work with: the one people gave; else the one this machine was enrolled with; else the one that its token is
 * exchanged for now. A token other than the one it was enrolled with replaces the key.
 *
 * @returns null when there is neither a key nor a token
 * @throws CannotWork when the token is refused
 */
export async function openKey(options: KeyOptions, stateDir: string): Promise<AgentKey | null> {
  const { key, keyFile, enrolmentToken: token } = options;
  if (key !== undefined) return new AgentKey(key, keyFile !== undefined && existsSync(keyFile) ? keyFile : null);
  const stored = new StoredKey(stateDir);
  const kept = await stored.read(token ?? null);
  if (kept !== null) return new AgentKey(kept, null);
  return token === undefined ? null : new AgentKey(await enrol({ ...options, token, stored }), null);
}
