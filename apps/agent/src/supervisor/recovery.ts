/**
 * What became of an execution this agent did not watch: it was down, or the supervisor died. The order of the questions is
 * binding, because each answer is safe only after the one before.
 */
import type { ExitStatus, Ident } from './attempt-directory.js';

/** What the directory and the process table say, read in this order and at once. */
export interface RecoveryFacts {
  readonly hasIntent: boolean;
  /** From `end.json`: an earlier agent finished with it and waits for an acknowledgement. */
  readonly hasEnd: boolean;
  readonly status: ExitStatus | null;
  /** Somebody claimed it before this boot, and the claim cannot be read any more. */
  readonly isClaimLost: boolean;
  readonly noexec: boolean;
  readonly go: 'agent' | 'job' | null;
  readonly ident: Ident;
  readonly bootId: string;
  readonly isSupervisorAlive: boolean;
  readonly isJobAlive: boolean;
}

export type RecoveryVerdict =
  /** The directory is no journal: made by an agent that died at once. Remove it. */
  | { readonly kind: 'discard' }
  /** `end.json` holds everything. */
  | { readonly kind: 'ended' }
  /** The end is on disk and has to be classified. */
  | { readonly kind: 'exited' }
  /** Nothing decided yet: create `go`, and ask again if somebody was faster. */
  | { readonly kind: 'forbidStart' }
  /** It never ran and never can. */
  | { readonly kind: 'neverStarted' }
  /** The machine was restarted meanwhile: nobody can say how it ended. */
  | { readonly kind: 'lostToReboot' }
  /** Its supervisor lives: wait for the status. */
  | { readonly kind: 'adopt' }
  /** Read the status once more; if it is still absent the supervisor took the exit code with it. */
  | { readonly kind: 'supervisorDied'; readonly isJobAlive: boolean };

export function decideRecovery(facts: RecoveryFacts): RecoveryVerdict {
  if (!facts.hasIntent) return { kind: 'discard' };
  if (facts.hasEnd) return { kind: 'ended' };
  if (facts.status !== null) return { kind: 'exited' };
  if (facts.go === 'agent') return { kind: 'neverStarted' };
  if (facts.go === null) return { kind: 'forbidStart' };
  const isOfThisBoot = facts.ident.bootId === facts.bootId;
  // Whoever claimed it and lives will write its end, whatever else can be read or not.
  if (isOfThisBoot && facts.isSupervisorAlive) return { kind: 'adopt' };
  // Nobody can say any more how far it came. (Without text and of this boot it is that of a full disk, and nothing followed it.)
  if (facts.isClaimLost) return { kind: 'lostToReboot' };
  // The job's process notes who it is before it creates `go`; a `go` without that note is an agent's that died at once.
  if (facts.ident.job === null) return { kind: 'neverStarted' };
  if (!isOfThisBoot) return { kind: 'lostToReboot' };
  return { kind: 'supervisorDied', isJobAlive: facts.isJobAlive };
}
