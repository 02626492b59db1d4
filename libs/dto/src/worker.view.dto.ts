import { CAPABILITIES, WORKER_LINKS, WORKER_STATUSES } from '@muster/protocol';
import type { Capability, Inventory, KeyId, WorkerId, WorkerLink, WorkerSample, WorkerStatus, WorkerView } from '@muster/protocol';
import { ShownAny, ShownList, ShownMap, ShownMoment, ShownNumber, ShownObject, ShownOneOf, ShownText, ShownTexts, ShownWhole } from './shown.js';

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

export class WorkerSampleDto implements WorkerSample {
  @ShownNumber({ nullable: true })
  cpuPercent: number | null;

  @ShownNumber({ nullable: true })
  memoryUsedMb: number | null;

  @ShownNumber({ nullable: true })
  diskFreeMb: number | null;
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

  @ShownText('Owner of the key it registered with.')
  owner: string;

  @ShownText()
  keyId: KeyId;

  @ShownObject(() => WorkerSampleDto, { description: 'The last look at the machine.', nullable: true })
  sample: WorkerSampleDto | null;

  @ShownMoment()
  registeredAt: string;

  @ShownMoment({ nullable: true })
  lastBeatAt: string | null;

  @ShownObject(() => WorkerCountersDto)
  counters: WorkerCountersDto;
}

export class WorkerPageDto {
  @ShownList(() => WorkerViewDto)
  data: WorkerViewDto[];

  @ShownText({ nullable: true })
  nextCursor: string | null;
}
