/** What a worker over HTTP says of itself, and how it asks for jobs. */
import { CAPABILITIES, CLAIM_WAIT_SECONDS_MAX, ID_PREFIXES, isId, LABEL_NAME, LABEL_RULE, LIMITS, PLATFORMS, RUN_KINDS } from '@muster/protocol';
import type { Capability, Platform, WorkerId } from '@muster/protocol';
import { Decimal, Expect, Field, Flag, ListOf, Nested, OneOf, Text, TextMap, Whole } from './fields.js';
import { Executions, GpusHeld, Session, type ExecutionDto } from './http-worker.fields.js';
import { byteLength } from './values.js';

const SLOTS_MAX = 10_000;
const MEGABYTES_MAX = 2 ** 40;

export class WorkerGpuDto {
  @Whole({ description: 'As the driver counts.', example: 0, min: 0, max: LIMITS.gpuIndexMax })
  index: number;

  @Text({ description: 'Its model.', example: 'NVIDIA H100', bytesMax: LIMITS.nameBytesMax })
  model: string;

  @Decimal({ description: 'Its memory.', example: 81_559, min: 0, max: MEGABYTES_MAX, isOptional: true })
  memoryMb?: number;

  @Text({ description: 'Its id.', bytesMax: LIMITS.nameBytesMax, isOptional: true })
  uuid?: string;

  @Text({ description: 'Version of its driver.', bytesMax: LIMITS.nameBytesMax, isOptional: true })
  driver?: string;
}

/** One that stands there twice would be given to one job as two. What is no list of GPUs is refused as that. */
function isEachOnce(gpus: unknown): boolean {
  const indexes = Array.isArray(gpus) ? gpus.map((gpu: Partial<WorkerGpuDto> | null) => gpu?.index).filter(Number.isInteger) : [];
  return new Set(indexes).size === indexes.length;
}

/** What a program says of itself when it comes. Everything but the name may be left out. */
export class RegisterWorkerDto {
  @Text({ description: 'What people call it.', example: 'lab-3', bytesMax: LIMITS.nameBytesMax })
  name: string;

  @Text({ description: 'Tells this machine from the others of the key; the same one is the same worker again. Default: the host name, else the name.', example: 'lab-3.example', bytesMax: LIMITS.nameBytesMax, isOptional: true })
  machineId?: string;

  @Field(
    { description: 'The id it was given before, where it kept that.', example: 'wkr_01JDABCDEF0123456789ABCDEF', isOptional: true },
    { type: 'string' },
    'an id beginning with wkr_',
    (value) => isId(ID_PREFIXES.worker, value),
  )
  workerId?: WorkerId;

  @Whole({ description: 'How many jobs it runs at once. Default 1.', example: 1, min: 0, max: SLOTS_MAX, isOptional: true })
  slots?: number;

  @Field(
    { description: 'Kinds of jobs it takes. Default: `external:http`.', example: ['external:http'], isOptional: true },
    { type: 'array', items: { type: 'string', enum: [...RUN_KINDS] }, minItems: 1 },
    `a list of ${RUN_KINDS.join(', ')}`,
    (value) => Array.isArray(value) && value.length > 0 && value.length <= RUN_KINDS.length && value.every((one) => RUN_KINDS.includes(one)),
  )
  runKinds?: string[];

  @OneOf(CAPABILITIES, { description: 'What the machine is good for. Default: `hybrid` with GPUs, else `cpu`.', isOptional: true })
  capability?: Capability;

  @Field(
    { description: 'Content types it takes. Default: those of its capability.', example: ['text'], isOptional: true },
    { type: 'array', items: { type: 'string', maxLength: LIMITS.contentTypeBytesMax }, maxItems: LIMITS.contentTypesMax },
    `a list of at most ${LIMITS.contentTypesMax} texts of 1 to ${LIMITS.contentTypeBytesMax} bytes`,
    (value) => Array.isArray(value) && value.length <= LIMITS.contentTypesMax && value.every((one) => typeof one === 'string' && one !== '' && byteLength(one) <= LIMITS.contentTypeBytesMax),
  )
  contentTypes?: string[];

  @TextMap({ description: 'Words to match it by.', example: { zone: 'lab' }, namePattern: LABEL_NAME, nameRule: LABEL_RULE, entriesMax: LIMITS.labelsMax, bytesMax: LIMITS.labelBytesMax, isOptional: true })
  labels?: Record<string, string>;

  @Text({ description: 'Name of the machine. Default: the name.', example: 'lab-3.example', bytesMax: LIMITS.nameBytesMax, isOptional: true })
  hostname?: string;

  @OneOf(PLATFORMS, { description: 'What it runs on.', example: 'linux', isOptional: true })
  platform?: Platform;

  @Text({ description: 'Version of the program.', example: '1.4.0', bytesMax: LIMITS.nameBytesMax, isOptional: true })
  version?: string;

  @Whole({ description: 'Processor cores.', example: 8, min: 0, max: 100_000, isOptional: true })
  cpuCores?: number;

  @Decimal({ description: 'Memory.', example: 32_000, min: 0, max: MEGABYTES_MAX, isOptional: true })
  memoryMb?: number;

  @Decimal({ description: 'Size of its disk.', example: 500_000, min: 0, max: MEGABYTES_MAX, isOptional: true })
  diskMb?: number;

  @Expect('eachOnce', 'each index once', isEachOnce)
  @ListOf(() => WorkerGpuDto, LIMITS.gpusMax, { description: 'Its GPUs, each index once.', isOptional: true })
  gpus?: WorkerGpuDto[];

  @Executions()
  executions?: ExecutionDto[];

  @GpusHeld()
  gpusHeld?: number[];
}

/** One look at the machine. What is not known is left out. */
export class MachineSampleDto {
  @Decimal({ description: 'Of all cores together.', example: 12.5, min: 0, max: 100, isOptional: true })
  cpuPercent?: number;

  @Decimal({ description: 'Memory in use.', example: 4_096, min: 0, max: MEGABYTES_MAX, isOptional: true })
  memoryUsedMb?: number;

  @Decimal({ description: 'Space left on its disk.', example: 120_000, min: 0, max: MEGABYTES_MAX, isOptional: true })
  diskFreeMb?: number;
}

export class HeartbeatDto {
  @Session()
  session?: number;

  @Executions()
  executions?: ExecutionDto[];

  @Nested(() => MachineSampleDto, { description: 'How the machine is.', isOptional: true })
  sample?: MachineSampleDto;

  @Flag({ description: 'True while it wants no more jobs.', example: false, isOptional: true })
  paused?: boolean;

  @Whole({ description: 'Slots that are free there. Default: all that hold no attempt.', example: 1, min: 0, max: SLOTS_MAX, isOptional: true })
  slotsFree?: number;

  @GpusHeld()
  gpusHeld?: number[];
}

export class ClaimDto {
  @Session()
  session?: number;

  @Whole({ description: 'How long to wait for a job. Default 0: look once.', example: 30, min: 0, max: CLAIM_WAIT_SECONDS_MAX, isOptional: true })
  waitSeconds?: number;

  @Executions()
  executions?: ExecutionDto[];
}
