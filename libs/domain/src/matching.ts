import type { Capability, ContainmentRung, GpuInfo, JobNeeds } from '@muster/protocol';

/** What matching reads of a worker: a part of its inventory. */
export interface WorkerProfile {
  readonly name: string;
  readonly capability: Capability;
  readonly contentTypes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly cpuCores: number;
  readonly memoryMb: number;
  readonly gpus: readonly Pick<GpuInfo, 'index' | 'model'>[];
  readonly containment: readonly ContainmentRung[];
  readonly runKinds: readonly string[];
}

/** One need that a worker does not meet. */
export interface Mismatch {
  readonly need: 'capability' | 'contentType' | 'label' | 'cpus' | 'memoryMb' | 'gpus' | 'gpuModel' | 'containment' | 'runKind';
  /** `needs 2 GPUs, has 1` */
  readonly detail: string;
}

export type MatchResult = { readonly ok: true } | { readonly ok: false; readonly reasons: readonly Mismatch[] };

/** What a lane is keyed by: jobs of one owner that are equal in this are equal to matching. */
export interface Requirements {
  readonly needs: JobNeeds;
  /** `command`, `shell`, `function:node`, `external:http`, … */
  readonly runKind: string;
}

/** Whether the whole worker, were it empty, could run such a job. */
export function matches(requirements: Requirements, worker: WorkerProfile): MatchResult {
  throw new Error(`not yet: ${requirements.runKind} ${worker.name}`);
}
