import type { JobId, WorkerId } from '@muster/protocol';
import type { ServerContext } from './server/commands.js';
import type { Done, ServerDecision } from './server/decision.js';
import type { WorkerProfile } from './matching.js';
import type { Slice } from './slice.js';

export interface ClaimInput {
  /** Heads of lanes, locked: jobs that are queued and due; their order does not matter. Several of one lane may stand here. */
  readonly candidates: readonly JobId[];
  /** The workers whose rows are locked and whose live attempts, with their jobs, are in the slice. */
  readonly profiles: ReadonlyMap<WorkerId, WorkerProfile>;
  /** Live attempts of each owner in the whole fleet: the fewest go first among equals in priority. */
  readonly activeByOwner: ReadonlyMap<string, number>;
}

/**
 * Matches candidates to free capacity: priority first, then the owner with the fewest active, then age; each goes to the
 * least loaded worker that fits. Makes attempts in state `offered`, raises epochs, assigns GPUs. Checks capacity from the
 * locked rows, so that it holds whatever happened since the candidates were read.
 */
export function decideClaim(slice: Slice, input: ClaimInput, context: ServerContext): ServerDecision<Done> {
  throw new Error(`not yet: ${slice.jobs.size} ${input.candidates.length} ${context.nowMs}`);
}
