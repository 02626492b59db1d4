import { Field, Flag, Nested, OneOf } from '@muster/dto';
import { CAPABILITIES, LIMITS, type Capability } from '@muster/protocol';
import { ForeignCount, ForeignNumber, ForeignText, ForeignTextMap, ForeignTexts } from '../foreign-fields.js';

/** Absurd beyond it. */
const GPUS_MAX = 1_024;
const PORT_MAX = 65_535;
const ID_MAX = 512;

/** Words that stand in the place of an id in a path of the registry. */
const NO_IDS: ReadonlySet<string> = new Set(['stats']);

export class MoragHardwareDto {
  @ForeignCount({ description: 'Cores.' })
  cpu_cores: number;

  @ForeignNumber({ description: 'Memory.' })
  memory_gb: number;

  @ForeignCount({ description: 'GPUs.', max: GPUS_MAX, isOptional: true })
  gpu_count = 0;

  @ForeignNumber({ description: 'Memory of its GPUs.', isOptional: true })
  gpu_memory_gb = 0;

  @ForeignTexts({ description: 'Model of each GPU.', itemsMax: GPUS_MAX, lengthMax: LIMITS.nameBytesMax, isOptional: true })
  gpu_models: string[] = [];

  @ForeignNumber({ description: 'Disk.', isOptional: true })
  disk_space_gb = 0;
}

export class MoragLocationDto {
  @ForeignText({ description: 'Name of the machine.' })
  hostname: string;

  @ForeignText({ description: 'Its address, as it sees it.' })
  ip_address: string;

  @ForeignCount({ description: 'Port of the worker\'s own server.', max: PORT_MAX, isOptional: true })
  port = 8000;

  @Flag({ description: 'Whether it is another machine than the registry\'s.', isOptional: true })
  is_remote = true;

  @Field(
    { description: 'As the worker measured it.', isOptional: true },
    { type: 'number' },
    'a number from 0, or null',
    (value) => value === null || (typeof value === 'number' && Number.isFinite(value) && value >= 0),
  )
  network_latency_ms: number | null = null;
}

/** What a worker says it is. Kept, and answered again, with the defaults filled in. */
export class MoragRegistrationDto {
  @Field(
    { description: 'Kept as sent; made by the server if absent.', isOptional: true },
    { type: 'string' },
    `text of 1 to ${ID_MAX} characters other than ${[...NO_IDS].join(', ')}`,
    (value) => typeof value === 'string' && value !== '' && value.length <= ID_MAX && !NO_IDS.has(value),
  )
  worker_id?: string;

  @ForeignText({ description: 'For people.' })
  name: string;

  @OneOf(CAPABILITIES, { description: 'What it is good for.' })
  capability: Capability;

  @Nested(() => MoragHardwareDto, { description: 'What the machine has.' })
  hardware: MoragHardwareDto;

  @Nested(() => MoragLocationDto, { description: 'Where the machine is.' })
  location: MoragLocationDto;

  @ForeignCount({ description: 'Tasks it takes at once.', min: 1, isOptional: true })
  max_concurrent_tasks = 1;

  @ForeignTexts({ description: 'What it takes.', itemsMax: LIMITS.labelsMax, lengthMax: LIMITS.nameBytesMax, isOptional: true })
  supported_content_types: string[] = [];

  @ForeignTextMap({ description: 'Free words.', isOptional: true })
  tags: Record<string, string> = {};
}

/** The body of `POST register`; its other field, `auth_token`, is looked at before. */
export class MoragRegisterDto {
  @Nested(() => MoragRegistrationDto, { description: 'What the worker is.' })
  registration: MoragRegistrationDto;
}
