import { statSync } from 'node:fs';
import { uptime } from 'node:os';
import type { AttemptDirectory } from './attempt-directory.js';
import { isAlive, readBootId } from './process-identity.js';
import { decideRecovery, type RecoveryFacts, type RecoveryVerdict } from './recovery.js';

/**
 * Reads the facts: `go` before the claim, which is written before it, so that no start is seen without who made it, and the
 * status after the processes, so that "gone" is never younger than "no status".
 */
export function readRecoveryFacts(directory: AttemptDirectory): RecoveryFacts {
  const go = directory.readGo();
  const ident = directory.readIdent();
  const isSupervisorAlive = ident.supervisor !== null && isAlive(ident.supervisor);
  return {
    hasIntent: directory.has('intent'),
    hasEnd: directory.has('end'),
    isClaimLost: ident.supervisor === null && isOfAnEarlierBoot(directory.file('ident')),
    go,
    ident,
    bootId: readBootId(),
    isSupervisorAlive,
    isJobAlive: ident.job !== null && isAlive(ident.job),
    // After the look at the supervisor: one that was gone then has written all it ever will.
    status: directory.readStatus(),
    noexec: directory.has('noexec'),
  };
}

/** By the clock: what a power cut leaves of a new file may be its name and its times alone. */
function isOfAnEarlierBoot(path: string): boolean {
  const modifiedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return modifiedMs !== undefined && modifiedMs < Date.now() - uptime() * 1_000;
}

/** A verdict one can act on: the race for `go` is settled, and a missing supervisor was looked for twice. */
export type SettledVerdict = Exclude<RecoveryVerdict, { readonly kind: 'forbidStart' }>;

export async function settle(directory: AttemptDirectory): Promise<SettledVerdict> {
  const verdict = decideRecovery(readRecoveryFacts(directory));
  if (verdict.kind !== 'forbidStart') return verdict;
  if (await directory.forbidStart()) return { kind: 'neverStarted' };
  const again = decideRecovery(readRecoveryFacts(directory));
  // Whoever was faster has decided, so the second look cannot find nothing decided.
  return again.kind === 'forbidStart' ? { kind: 'neverStarted' } : again;
}
