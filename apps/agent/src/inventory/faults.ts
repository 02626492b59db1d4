/** What is wrong with this machine, from what was seen of it. While there is any fault the worker's status is `error`. */
import type { WorkerFault } from '@muster/protocol';
import type { GpuToolState } from './gpu-watch.js';
import type { DiskSpace } from './machine.js';

export interface FaultFacts {
  readonly disk: DiskSpace | null;
  readonly isBelowFloor: boolean;
  /** Why nothing can be written to the state directory; null when it can. */
  readonly stateDirectoryProblem: string | null;
  /** Why processes cannot be started; null when they can, as far as anybody knows. */
  readonly runtimeProblem: string | null;
  readonly slotsQuarantined: number;
  readonly gpuTool: GpuToolState;
  /** GPUs that were seen in this life of the agent, or that the driver holds on the bus. */
  readonly gpusExpected: number;
}

const MIB = 1024 * 1024;

export function faultsOf(facts: FaultFacts): readonly WorkerFault[] {
  const faults: WorkerFault[] = [];
  const { disk, gpuTool, gpusExpected, slotsQuarantined } = facts;
  if (facts.isBelowFloor && disk !== null) {
    const free = Math.floor(disk.freeBytes / MIB);
    faults.push({
      code: 'diskFloor',
      detail: `Only ${free} MiB of ${Math.floor(disk.totalBytes / MIB)} MiB are free where the agent keeps its state.`,
    });
  }
  if (facts.stateDirectoryProblem !== null)
    faults.push({ code: 'stateDirectory', detail: facts.stateDirectoryProblem });
  if (facts.runtimeProblem !== null) faults.push({ code: 'runtime', detail: facts.runtimeProblem });
  if (slotsQuarantined > 0) {
    const slots = slotsQuarantined === 1 ? '1 slot is' : `${slotsQuarantined} slots are`;
    faults.push({ code: 'slotsQuarantined', detail: `${slots} held by processes that could not be killed.` });
  }
  // A tool without a GPU is somebody's leftover, and nobody was promised anything.
  if (gpuTool.kind === 'failing' && gpusExpected > 0) faults.push({ code: 'gpuTool', detail: gpuTool.detail });
  return faults;
}
