/** The decisions under test, as a value: a mutant is the same value with one of them spoiled. */
import * as domain from '@muster/domain';

/** What of the domain the world runs. */
export type Decisions = Pick<
  typeof domain,
  'serverStep' | 'decideClaim' | 'agentStep' | 'startAgent' | 'nextWakeMs' | 'onLogChunk' | 'factsNeeded' | 'newInstanceId'
>;

/** Rules that live in the shells; the product keeps them all. */
export interface ShellRules {
  /** An answer is sent only after the commit. */
  readonly acknowledgesAfterCommit: boolean;
  /** A timer outside the agent kills exclusive processes at their deadline. */
  readonly hasWarden: boolean;
  /** A directory is removed only when its end is settled and its log is done. */
  readonly keepsUntilDone: boolean;
  /** The directory is durable before the process begins. */
  readonly writesIntentFirst: boolean;
  /** Leases that are over are decided from the row as it is now, not as it was found. */
  readonly sweepsByComparing: boolean;
  /** A frozen process that is told to stop goes on first, or it never hears it. */
  readonly thawsToStop: boolean;
  /** The time a process stands still does not count against its run limit. */
  readonly stopsRunClockWhileFrozen: boolean;
  /** The first hello of a connection is not taken when it comes long after it. */
  readonly refusesLateHellos: boolean;
  /** An offer is said to the start of the agent it was made for, however late, and to no newer one. */
  readonly offersToTheStartItChose: boolean;
}

export interface Reducers extends Decisions {
  readonly shell: ShellRules;
}

export const PRODUCT_SHELL: ShellRules = {
  acknowledgesAfterCommit: true, hasWarden: true, keepsUntilDone: true, writesIntentFirst: true, sweepsByComparing: true, thawsToStop: true,
  stopsRunClockWhileFrozen: true, refusesLateHellos: true, offersToTheStartItChose: true,
};

export const PRODUCT: Reducers = {
  serverStep: domain.serverStep,
  decideClaim: domain.decideClaim,
  agentStep: domain.agentStep,
  startAgent: domain.startAgent,
  nextWakeMs: domain.nextWakeMs,
  onLogChunk: domain.onLogChunk,
  factsNeeded: domain.factsNeeded,
  newInstanceId: domain.newInstanceId,
  shell: PRODUCT_SHELL,
};
