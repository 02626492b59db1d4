import type { ControlPlane } from '../src/control-plane.js';
import { KeyVerifier } from '../src/keys/key-verifier.js';

/**
 * How many of the looks at the keys of its agents, one a second, a replica has begun since with this one among them, until
 * `jest.restoreAllMocks`. What happens by the first of them happens in time, however slow the machine is.
 */
export function countLooksAtKeys({ app }: ControlPlane, keyId: string): () => number {
  const keys = app.get(KeyVerifier);
  const ended = keys.ended.bind(keys);
  let looks = 0;
  jest.spyOn(keys, 'ended').mockImplementation((credentials, database) => {
    const all = [...credentials];
    // Followers of logs are looked at elsewhere.
    if (database !== undefined && all.some((credential) => credential.keyId === keyId)) looks += 1;
    return ended(all, database);
  });
  return () => looks;
}
