import { CAPABILITIES, VERSION_SKEWS, WORKER_ADAPTERS, WORKER_FAULTS, WORKER_LINKS, WORKER_OVERRIDES, WORKER_STATUSES } from '@muster/protocol';
import type {
  AttemptId, AttemptSample, Capability, GpuSample, Inventory, KeyId, VersionSkew, WorkerAdapter, WorkerFault, WorkerFaultCode, WorkerId,
  WorkerLink, WorkerLocation,
  WorkerOverride, WorkerSample, WorkerStatus, WorkerView,
} from '@muster/protocol';
import { DrainViewDto, MaintenanceViewDto, WorkerSaidDto } from './worker-orders.view.dto.js';
import { ShownAny, ShownFlag, ShownList, ShownMap, ShownMoment, ShownNumber, ShownObject, ShownOneOf, ShownText, ShownTexts, ShownWhole } from './shown.js';

export class WorkerCountersDto {
  @ShownWhole('Live attempts now.')
  active: number;

  @ShownWhole('Attempts that ended well.')
  completed: number;

  @ShownWhole('Attempts that failed there. Cancelled, stopped, declined and lost ones count for neither.')
  failed: number;

  @ShownNumber({ description: 'Mean run time of the completed attempts.', nullable: true })
  averageSeconds: number | null;
}

export class GpuSampleDto implements GpuSample {
  @ShownWhole('As in the inventory.')
  index: number;

  @ShownNumber({ description: 'Share of the last moment in which something ran on it, 0 to 100.', nullable: true })
  utilisationPercent: number | null;

  @ShownNumber({ nullable: true })
  memoryUsedMb: number | null;

  @ShownNumber({ nullable: true })
  memoryTotalMb: number | null;

  @ShownNumber({ nullable: true })
  temperatureCelsius: number | null;

  @ShownNumber({ nullable: true })
  powerWatts: number | null;
}

export class AttemptSampleDto implements AttemptSample {
  @ShownText()
  attemptId: AttemptId;

  @ShownNumber({ description: 'Since it began.', nullable: true })
  cpuSeconds: number | null;

  @ShownNumber({ description: 'Now: what the kernel charges to its control group, else the resident memory of its processes.', nullable: true })
  memoryBytes: number | null;

  @ShownNumber({ description: 'Now, on all GPUs together.', nullable: true })
  gpuMemoryMb: number | null;
}

export class WorkerFaultDto implements WorkerFault {
  @ShownOneOf(WORKER_FAULTS)
  code: WorkerFaultCode;

  @ShownText('A sentence with the values found.')
  detail: string;
}

/** Unknown is null, never 0. What an older agent does not tell is absent. */
export class WorkerSampleDto implements WorkerSample {
  @ShownNumber({ nullable: true })
  cpuPercent: number | null;

  @ShownNumber({ nullable: true })
  memoryUsedMb: number | null;

  @ShownNumber({ nullable: true })
  diskFreeMb: number | null;

  @ShownNumber({ description: 'Since the look before, all interfaces to other machines together.', nullable: true, required: false })
  networkReceivedBytesPerSecond?: number | null;

  @ShownNumber({ nullable: true, required: false })
  networkSentBytesPerSecond?: number | null;

  @ShownNumber({ description: 'Since the look before, all disks together, whoever used them.', nullable: true, required: false })
  diskReadBytesPerSecond?: number | null;

  @ShownNumber({ nullable: true, required: false })
  diskWrittenBytesPerSecond?: number | null;

  @ShownList(() => GpuSampleDto, { description: 'At most a minute old.', required: false })
  gpus?: GpuSampleDto[];

  @ShownList(() => AttemptSampleDto, { description: 'Attempts whose processes ran there.', required: false })
  attempts?: AttemptSampleDto[];

  @ShownList(() => WorkerFaultDto, { description: 'What is wrong with the machine; while there is any its status is `error`.', required: false })
  faults?: WorkerFaultDto[];
}

/** Where the machine is, as it and as we see it. */
export class WorkerLocationDto implements WorkerLocation {
  @ShownText('As the machine calls itself.')
  hostname: string;

  @ShownText({ description: 'Where its last connection came from, as the control plane saw it.', nullable: true })
  address: string | null;

  @ShownNumber({ description: 'There and back over its open connection: the median of the last rounds, measured here. Null until one was measured, and for workers without a socket.', nullable: true })
  latencyMs: number | null;
}

/** A machine with an agent. */
export class WorkerViewDto implements WorkerView {
  @ShownText({ example: 'wkr_01JDABCDEF0123456789ABCDEF' })
  id: WorkerId;

  @ShownText({ example: 'lab-3' })
  name: string;

  @ShownOneOf(WORKER_STATUSES)
  status: WorkerStatus;

  @ShownOneOf(WORKER_LINKS)
  link: WorkerLink;

  @ShownFlag('It was heard within the time after which a worker counts as offline.')
  healthy: boolean;

  @ShownFlag('It would be offered a job now: healthy, online, nobody keeps it from work, a free slot.')
  available: boolean;

  @ShownObject(() => WorkerLocationDto)
  location: WorkerLocationDto;

  @ShownOneOf(CAPABILITIES)
  capability: Capability;

  @ShownTexts()
  contentTypes: string[];

  @ShownMap()
  labels: Record<string, string>;

  @ShownAny('What the machine is, as its agent last read it.')
  inventory: Inventory;

  @ShownWhole('Attempts it takes at once.')
  slots: number;

  @ShownWhole()
  slotsUsed: number;

  @ShownText()
  agentVersion: string;

  @ShownOneOf(VERSION_SKEWS, 'How that compares with the version of this control plane.')
  versionSkew: VersionSkew;

  @ShownText('Owner of the key it registered with.')
  owner: string;

  @ShownText()
  keyId: KeyId;

  @ShownObject(() => WorkerSampleDto, { description: 'The last look at the machine.', nullable: true })
  sample: WorkerSampleDto | null;

  @ShownObject(() => MaintenanceViewDto, { description: 'Set while people want no new jobs there.', nullable: true })
  maintenance: MaintenanceViewDto | null;

  @ShownObject(() => DrainViewDto, { description: 'Set while it is drained, and after that until that is taken back.', nullable: true })
  drain: DrainViewDto | null;

  @ShownTexts('Which of its words people replaced; `said` holds its own.', WORKER_OVERRIDES)
  overridden: WorkerOverride[];

  @ShownObject(() => WorkerSaidDto)
  said: WorkerSaidDto;

  @ShownMoment()
  registeredAt: string;

  @ShownMoment({ nullable: true })
  lastBeatAt: string | null;

  @ShownMoment({ description: 'Since when it is not one of ours any more.', nullable: true })
  removedAt: string | null;

  @ShownObject(() => WorkerCountersDto)
  counters: WorkerCountersDto;

  @ShownOneOf(WORKER_ADAPTERS, { description: 'Through which adapter it came; null for workers that speak our own protocol.', nullable: true })
  adapter: WorkerAdapter | null;

  @ShownText({ description: 'The id it has in its own system, for callers who may order workers about; otherwise null.', nullable: true })
  foreignId: string | null;

  @ShownTexts('What it can do, in free words of its own.')
  features: string[];

  @ShownWhole({ description: 'Tasks it says it has, of whoever; null where it does not say.', nullable: true })
  load: number | null;

  @ShownMap({ description: 'The figures it told last, under the names it gave them; null where it does not tell any.', nullable: true }, 'number')
  metrics: Record<string, number> | null;

  @ShownOneOf(WORKER_STATUSES, { description: 'How it said it stands, in its last heartbeat; null where it does not say.', nullable: true })
  reportedStatus: WorkerStatus | null;
}

export class WorkerPageDto {
  @ShownList(() => WorkerViewDto)
  data: WorkerViewDto[];

  @ShownText({ nullable: true })
  nextCursor: string | null;
}
