import type { AttemptId, KeyId, WorkerId } from './ids.js';
import type { ContainmentRung } from './job.js';
import type { DrainView, MaintenanceView, WorkerOverride, WorkerSaid } from './worker-orders.js';

export const CAPABILITIES = ['cpu', 'gpu', 'hybrid'] as const;
/** What the machine is good for; `hybrid` satisfies both needs. */
export type Capability = (typeof CAPABILITIES)[number];

/** Content types a worker takes when its operator names none. */
export const DEFAULT_CONTENT_TYPES: Record<Capability, readonly string[]> = {
  gpu: ['audio', 'video', 'image'],
  cpu: ['document', 'web', 'text'],
  hybrid: ['audio', 'video', 'image', 'document', 'web', 'text'],
};

export const WORKER_STATUSES = ['online', 'busy', 'maintenance', 'error', 'offline'] as const;
/** Shown status: offline if unreachable, else maintenance if people ordered it, else error, else busy, else online. */
export type WorkerStatus = (typeof WORKER_STATUSES)[number];

export const WORKER_LINKS = ['connected', 'suspect', 'unreachable'] as const;
/** `suspect`: socket closed or two beats missed. `unreachable`: no beat for W. */
export type WorkerLink = (typeof WORKER_LINKS)[number];

/** Systems that a worker may run on: as Node names them, but `windows`, which is what everybody else calls it. */
export const PLATFORMS = ['aix', 'android', 'cygwin', 'darwin', 'freebsd', 'haiku', 'linux', 'netbsd', 'openbsd', 'sunos', 'windows'] as const;
export type Platform = (typeof PLATFORMS)[number];

export interface GpuInfo {
  readonly index: number;
  readonly uuid: string | null;
  readonly model: string;
  readonly memoryMb: number | null;
  readonly driver: string | null;
}

/** What the machine is, read anew at each hello. */
export interface Inventory {
  readonly hostname: string;
  /** Empty where a worker of another make does not tell. */
  readonly platform: Platform | '';
  readonly arch: string;
  readonly osRelease: string;
  readonly cpuModel: string;
  readonly cpuCores: number;
  readonly memoryMb: number;
  readonly diskMb: number | null;
  readonly gpus: readonly GpuInfo[];
  readonly capability: Capability;
  readonly contentTypes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Rung used by default, and the ones that can be asked for. */
  readonly containment: { readonly default: ContainmentRung; readonly available: readonly ContainmentRung[]; readonly notes: readonly string[] };
  /** Limits that can be enforced here, and how surely. */
  readonly limits: Readonly<Record<'runSeconds' | 'silenceSeconds' | 'memoryMb' | 'cpus' | 'logBytes', 'hard' | 'sampled' | 'none'>>;
  /** Whether an end by signal can be told from an exit code here. */
  readonly signalKnown: boolean;
  readonly runKinds: readonly string[];
}

/** One look at the machine, sent with a beat. Unknown is null, never 0. */
export interface WorkerSample {
  readonly cpuPercent: number | null;
  readonly memoryUsedMb: number | null;
  readonly diskFreeMb: number | null;
  /** Since the look before, all network interfaces to other machines together. Absent before 1.1, as everything below. */
  readonly networkReceivedBytesPerSecond?: number | null;
  readonly networkSentBytesPerSecond?: number | null;
  /** Since the look before, all disks together, whoever used them. */
  readonly diskReadBytesPerSecond?: number | null;
  readonly diskWrittenBytesPerSecond?: number | null;
  /** Looked at more rarely than the rest: at most a minute old, else none. */
  readonly gpus?: readonly GpuSample[];
  /** Attempts whose processes run here now. */
  readonly attempts?: readonly AttemptSample[];
  /** What the agent found wrong with its machine; none clears what earlier samples said. */
  readonly faults?: readonly WorkerFault[];
}

export interface GpuSample {
  /** As in the inventory. */
  readonly index: number;
  /** Share of the last moment in which something ran on it, 0 to 100. */
  readonly utilisationPercent: number | null;
  readonly memoryUsedMb: number | null;
  readonly memoryTotalMb: number | null;
  readonly temperatureCelsius: number | null;
  readonly powerWatts: number | null;
}

/** What the processes of one attempt use. */
export interface AttemptSample {
  readonly attemptId: AttemptId;
  /** Since it began; grows only. */
  readonly cpuSeconds: number | null;
  /** Now. In a control group what the kernel charges to it, page cache included; else the resident memory of its processes. */
  readonly memoryBytes: number | null;
  /** Now, on all GPUs together; null where the driver does not tell, and where there is no GPU. */
  readonly gpuMemoryMb: number | null;
}

export const WORKER_FAULTS = ['diskFloor', 'stateDirectory', 'runtime', 'slotsQuarantined', 'gpuTool'] as const;
/**
 * `diskFloor`: too little space for more jobs. `stateDirectory`: nothing can be written there. `runtime`: processes cannot be
 * started. `slotsQuarantined`: processes that could not be killed hold slots. `gpuTool`: the driver does not tell about GPUs
 * that were there.
 */
export type WorkerFaultCode = (typeof WORKER_FAULTS)[number];

export interface WorkerFault {
  readonly code: WorkerFaultCode;
  /** A sentence with the values found. */
  readonly detail: string;
}

export const WORKER_ADAPTERS = ['finetunelab', 'morag'] as const;
/** Existing systems whose workers come unchanged, each through an adapter of its own. */
export type WorkerAdapter = (typeof WORKER_ADAPTERS)[number];

export const VERSION_SKEWS = ['same', 'older', 'newer', 'unknown'] as const;
/** How an agent's version compares with that of the control plane that shows it. `unknown`: one of them is not a version. */
export type VersionSkew = (typeof VERSION_SKEWS)[number];

/** Where a machine is, as it and as we see it. */
export interface WorkerLocation {
  /** As the machine calls itself. */
  readonly hostname: string;
  /** Where its last connection came from, as the control plane saw it; null for workers that never had one. */
  readonly address: string | null;
  /** There and back over its open connection: the median of the last rounds. Null until one was measured, and without a socket. */
  readonly latencyMs: number | null;
}

/** A worker as REST shows it. */
export interface WorkerView {
  readonly id: WorkerId;
  readonly name: string;
  readonly status: WorkerStatus;
  readonly link: WorkerLink;
  /** It was heard within W. */
  readonly healthy: boolean;
  /** It would be offered a job now: healthy, online, nobody keeps it from work, a free slot. */
  readonly available: boolean;
  readonly location: WorkerLocation;
  readonly capability: Capability;
  readonly contentTypes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly inventory: Inventory;
  readonly slots: number;
  readonly slotsUsed: number;
  readonly agentVersion: string;
  readonly versionSkew: VersionSkew;
  readonly owner: string;
  readonly keyId: KeyId;
  readonly sample: WorkerSample | null;
  /** Set while people want no new jobs there. */
  readonly maintenance: MaintenanceView | null;
  /** Set while it is being drained, and after that until that is taken back. */
  readonly drain: DrainView | null;
  /** Which of its words people replaced; `said` holds its own. */
  readonly overridden: readonly WorkerOverride[];
  readonly said: WorkerSaid;
  readonly registeredAt: string;
  readonly lastBeatAt: string | null;
  /** Since when it is not one of ours any more; it takes no work and stays readable. */
  readonly removedAt: string | null;
  readonly counters: { readonly active: number; readonly completed: number; readonly failed: number; readonly averageSeconds: number | null };
  /** Through which adapter it came; null for workers that speak our own protocol. */
  readonly adapter: WorkerAdapter | null;
  /**
   * The id it has in its own system. Whoever knows it may speak for the worker there, so it is null for callers below
   * operator, and for workers that have none.
   */
  readonly foreignId: string | null;
  /** What it can do, in free words of its own. */
  readonly features: readonly string[];
  /** Tasks it says it has, of whoever; null where it does not say. */
  readonly load: number | null;
  /** The figures it told last, under the names it gave them. */
  readonly metrics: Readonly<Record<string, number>> | null;
  /** How it said it stands, in its last heartbeat; null where it does not say. */
  readonly reportedStatus: WorkerStatus | null;
}
