import { AGENT_LOG_STREAMS, CAPABILITIES, CLAIM_WAIT_SECONDS_MAX, EXECUTION_STATES, ID_PREFIXES, isId, LIMITS, PLATFORMS, REPORTED_OUTCOMES, RUN_KINDS } from '@muster/protocol';
import type { AttemptId, Capability, ExecutionState, Platform, ReportedOutcome, WorkerId } from '@muster/protocol';
import { Decimal, Expect, Field, Flag, ListOf, Moment, Nested, OneOf, Text, TextMap, Whole } from './fields.js';
import { byteLength, isRecord } from './values.js';

const SESSION_MAX = 2 ** 31 - 1;
const SLOTS_MAX = 10_000;
const MEGABYTES_MAX = 2 ** 40;
const BYTES_MAX = Number.MAX_SAFE_INTEGER;
const EXECUTIONS_MAX = 5_000;
const POINTS_MAX = 2_000;
const DETAIL_BYTES_MAX = 64 * 1024;
const LABEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/;
const LABEL_RULE = '1 to 63 letters, digits, `.`, `_`, `/`, `-`, beginning with a letter or digit';

function Session(): PropertyDecorator {
  return Whole({
    description: 'The number that registering was answered with. Who sends it is told when a newer program is this worker; left out, the newest is meant.',
    example: 1, min: 1, max: SESSION_MAX, isOptional: true,
  });
}

function AttemptName(): PropertyDecorator {
  return Field(
    { description: 'Which attempt.', example: 'att_01JDABCDEF0123456789ABCDEF' },
    { type: 'string' },
    'an id beginning with att_',
    (value) => isId(ID_PREFIXES.attempt, value),
  );
}

/** An attempt the worker has, and how it stands there. */
export class ExecutionDto {
  @AttemptName()
  attemptId: AttemptId;

  @Whole({ description: 'The number of its grant, as the claim said it.', example: 1, min: 0, max: SESSION_MAX })
  epoch: number;

  @OneOf(EXECUTION_STATES, { description: '`accepted`: not begun. `exited`: over, its end not accepted yet.', example: 'running' })
  state: ExecutionState;
}

function Executions(): PropertyDecorator {
  return ListOf(() => ExecutionDto, EXECUTIONS_MAX, { description: 'Every attempt whose end was not accepted yet: their leases are renewed.', isOptional: true });
}

function GpusHeld(): PropertyDecorator {
  return Field(
    { description: 'Indexes of GPUs that something else holds; they are not given to anybody.', example: [0], isOptional: true },
    { type: 'array', items: { type: 'integer', minimum: 0, maximum: LIMITS.gpuIndexMax }, maxItems: LIMITS.gpusMax },
    `a list of at most ${LIMITS.gpusMax} whole numbers from 0 to ${LIMITS.gpuIndexMax}`,
    (value) => Array.isArray(value) && value.length <= LIMITS.gpusMax && value.every((one) => Number.isInteger(one) && one >= 0 && one <= LIMITS.gpuIndexMax),
  );
}

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
    { type: 'array', items: { type: 'string', maxLength: 64 }, maxItems: 100 },
    'a list of at most 100 texts of 1 to 64 bytes',
    (value) => Array.isArray(value) && value.length <= 100 && value.every((one) => typeof one === 'string' && one !== '' && byteLength(one) <= 64),
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

  @ListOf(() => WorkerGpuDto, LIMITS.gpusMax, { description: 'Its GPUs.', isOptional: true })
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

/** Of an attempt that is about to begin, or goes on. */
export class StartAttemptDto {
  @Session()
  session?: number;
}

export class RenewAttemptDto {
  @Session()
  session?: number;

  @OneOf(EXECUTION_STATES, { description: 'How it stands. Default: `running`.', example: 'running', isOptional: true })
  state?: ExecutionState;
}

/** Bytes of its output, as printed. */
export class AppendLogDto {
  @OneOf(AGENT_LOG_STREAMS, { description: 'Which stream. Default: `output`.', isOptional: true })
  stream?: (typeof AGENT_LOG_STREAMS)[number];

  @Whole({ description: 'Bytes of the stream that came before. Stored only if so many are; the answer says how many are.', example: 0, min: 0, max: BYTES_MAX })
  offset: number;

  @Text({ description: 'The bytes as text, counted in UTF-8. Either this or `base64`.', example: 'step 1 loss 0.3\n', bytesMax: LIMITS.logChunkBytesMax, isOptional: true })
  text?: string;

  @Field(
    { description: 'The bytes, whatever they are.', example: 'aGVsbG8K', isOptional: true },
    { type: 'string', contentEncoding: 'base64' },
    `base64 of 1 to ${LIMITS.logChunkBytesMax} bytes`,
    isLogBase64,
  )
  base64?: string;

  @Moment({ description: 'When they were read. Default: now.', isOptional: true })
  readAt?: string;
}

function isLogBase64(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > Math.ceil(LIMITS.logChunkBytesMax / 3) * 4) return false;
  return value !== '' && value.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(value);
}

const NOT_FINITE: readonly unknown[] = ['NaN', 'Infinity', '-Infinity'];
const isMeasured = (value: unknown): boolean => (typeof value === 'number' && Number.isFinite(value)) || NOT_FINITE.includes(value);

export class MeasuredPointDto {
  @Whole({ description: 'Step of the training, or whatever is counted.', example: 1, min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, isOptional: true })
  step?: number;

  @Moment({ description: 'When it was measured. Default: now.', isOptional: true })
  at?: string;

  @Field(
    { description: 'Name to number. What is no number in JSON travels as `"NaN"`, `"Infinity"` or `"-Infinity"`.', example: { loss: 0.3 } },
    { type: 'object', additionalProperties: { type: ['number', 'string'] } },
    `an object of at most ${LIMITS.metricKeysPerPointMax} names and numbers`,
    (value) => isRecord(value) && Object.keys(value).length <= LIMITS.metricKeysPerPointMax && Object.values(value).every(isMeasured),
  )
  values: Record<string, number>;
}

export class AppendMetricsDto {
  @Whole({ description: 'What was sent before, counted as you like: points, lines, bytes. Stored only if so much is.', example: 0, min: 0, max: BYTES_MAX })
  offset: number;

  @Whole({ description: 'How much this is, counted alike. Default: the number of points.', example: 1, min: 1, max: BYTES_MAX, isOptional: true })
  rawLength?: number;

  @ListOf(() => MeasuredPointDto, POINTS_MAX, { description: 'In their order.', itemsMin: 1 })
  points: MeasuredPointDto[];
}

export class ReportProgressDto {
  @Field(
    { description: '0 to 1; null or left out: not known.', example: 0.42, isOptional: true },
    { type: ['number', 'null'], minimum: 0, maximum: 1 },
    'a number from 0 to 1',
    (value) => value === null || (typeof value === 'number' && value >= 0 && value <= 1),
  )
  fraction?: number | null;

  @Text({ description: 'A few words.', example: 'epoch 3 of 7', bytesMax: 1_000, isOptional: true })
  message?: string;
}

export class LogProofDto {
  @Whole({ description: 'Bytes it has, those not sent yet included.', example: 42, min: 0, max: BYTES_MAX })
  length: number;

  @Field({ description: 'SHA-256 of them.' }, { type: 'string', pattern: '^[0-9a-f]{64}$' }, '64 lower-case hexadecimal digits', (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value))
  sha256: string;
}

export class LogProofsDto {
  @Nested(() => LogProofDto, { description: 'Of the stream `output`.', isOptional: true })
  output?: LogProofDto;

  @Nested(() => LogProofDto, { description: 'Of the stream `stdout`.', isOptional: true })
  stdout?: LogProofDto;

  @Nested(() => LogProofDto, { description: 'Of the stream `stderr`.', isOptional: true })
  stderr?: LogProofDto;
}

/** What it used, as far as that is known. */
export class ReportedUsageDto {
  @Decimal({ description: 'Processor time.', min: 0, max: 1e12, isOptional: true })
  cpuSeconds?: number;

  @Whole({ description: 'Most memory at once.', min: 0, max: BYTES_MAX, isOptional: true })
  memoryBytesPeak?: number;

  @Decimal({ description: 'Time it ran.', min: 0, max: 1e12, isOptional: true })
  wallSeconds?: number;
}

export class CompleteAttemptDto {
  @Session()
  session?: number;

  @OneOf(REPORTED_OUTCOMES, { description: 'How it ended. `refused`: it never began, and goes back to the queue.', example: 'succeeded' })
  outcome: ReportedOutcome;

  @Whole({ description: 'Exit code of its process, where it had one. Default: 0 if it succeeded.', example: 0, min: 0, max: 255, isOptional: true })
  exitCode?: number;

  @Text({ description: 'The signal that ended it.', example: 'SIGKILL', bytesMax: 32, isOptional: true })
  signal?: string;

  @Text({ description: 'What went wrong, in words; kept as it is.', example: 'out of disk', bytesMin: 0, bytesMax: DETAIL_BYTES_MAX, isOptional: true })
  detail?: string;

  @Expect('result', `JSON of at most ${LIMITS.resultHttpBytesMax} bytes`, (value) => value === undefined || byteLength(JSON.stringify(value)) <= LIMITS.resultHttpBytesMax)
  @Field({ description: 'One JSON value, shown with the job when it succeeded.', example: { accuracy: 0.97 }, isOptional: true }, { anyJson: true, type: 'object', additionalProperties: true }, 'JSON', () => true)
  result?: unknown;

  @Nested(() => ReportedUsageDto, { description: 'What it used.', isOptional: true })
  usage?: ReportedUsageDto;

  @Nested(() => LogProofsDto, { description: 'How long its logs are, so that one can tell when all of it is there.', isOptional: true })
  logs?: LogProofsDto;
}
