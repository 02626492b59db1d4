import type { Site } from '../cluster/site.js';
import type { PlannedFault } from '../plan.js';

/** One place where a fault can fall, in which a job runs at this moment. */
export interface Victim {
  /** For the timeline: `agent north`. */
  readonly name: string;
  /** Parts that suffer; no other fault falls on any of them meanwhile. */
  readonly holds: readonly string[];
  /** Workers whose jobs may be lost by it. */
  readonly workers: readonly string[];
  /** Does it, waits, and undoes it. Answers what it did, for the timeline; null when it came to nothing. */
  strike(said: (what: string) => void): Promise<string | null>;
}

export interface FaultTools {
  readonly site: Site;
  wait(ms: number): Promise<void>;
}

/** All places for this fault, now. */
export type FaultOf = (tools: FaultTools, fault: PlannedFault) => readonly Victim[];

/** Worker names a fault that touches everything may lose jobs of. */
export const everyWorker = (site: Site): readonly string[] => site.agents.map(({ name }) => name);
