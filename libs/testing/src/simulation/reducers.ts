/** The decisions under test, as a value: a mutant is the same value with one of them spoiled. */
import * as domain from '@muster/domain';

export interface Reducers {
  readonly serverStep: typeof domain.serverStep;
  readonly decideClaim: typeof domain.decideClaim;
  readonly agentStep: typeof domain.agentStep;
  readonly startAgent: typeof domain.startAgent;
  readonly onLogChunk: typeof domain.onLogChunk;
  /** Rules that live in the shells; the product keeps them all. */
  readonly shell: {
    /** An answer is sent only after the commit. */
    readonly acknowledgesAfterCommit: boolean;
    /** A timer outside the agent kills exclusive processes at their deadline. */
    readonly hasWarden: boolean;
    /** A directory is removed only when its end is settled and its log is done. */
    readonly keepsUntilDone: boolean;
  };
}

export const PRODUCT: Reducers = {
  serverStep: domain.serverStep,
  decideClaim: domain.decideClaim,
  agentStep: domain.agentStep,
  startAgent: domain.startAgent,
  onLogChunk: domain.onLogChunk,
  shell: { acknowledgesAfterCommit: true, hasWarden: true, keepsUntilDone: true },
};
