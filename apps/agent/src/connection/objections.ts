import type { JobSpec, Refusal, RunSpec } from '@muster/protocol';
import { NoFreeSlot } from '../execution/execution-errors.js';
import type { ProcessCapabilities } from '../execution/execution-types.js';

export interface Objection {
  readonly reason: Refusal;
  readonly detail: string;
}

/** What this machine has against running a job, whatever the control plane believes of it; null when it could. */
export function objectionTo(spec: JobSpec, machine: ProcessCapabilities, isDiskFull: boolean): Objection | null {
  if (isDiskFull) return { reason: 'diskFloor', detail: 'The disk that holds the state directory is almost full.' };
  const kind = runKindOf(spec.run);
  if (!machine.runKinds.includes(kind)) return { reason: 'runKind', detail: `This worker does not run ${kind}.` };
  const rung = spec.needs.containment;
  if (rung && !machine.containment.available.includes(rung)) {
    return { reason: 'containment', detail: `This worker cannot give the containment "${rung}".` };
  }
  return null;
}

/** Why an attempt is given back whose intent could not be written: no slot after all, or else a disk that does not take it. */
export function refusalOf(error: unknown): Refusal {
  return error instanceof NoFreeSlot ? 'noSlot' : 'diskFloor';
}

/** The word a worker lists among its `runKinds`. */
export function runKindOf(run: RunSpec): string {
  if (run.command) return 'command';
  if (run.shell !== undefined) return 'shell';
  if (run.function) return `function:${run.function.runtime}`;
  return `external:${run.external?.kind ?? 'unknown'}`;
}
