import { CAPABILITIES, CONTAINMENT_RUNGS, EXTERNAL_KINDS, LABEL_NAME, LABEL_RULE, LIMITS, ON_WORKER_LOST, PAUSE_MODES } from '@muster/protocol';
import type { Capability, ContainmentRung, ExternalKind, OnWorkerLost, PauseMode } from '@muster/protocol';
import { ValidateBy } from 'class-validator';
import { Decimal, Expect, Field, Flag, Nested, OneOf, Text, TextMap, Unsupported, Whole } from './fields.js';
import { areStrings, byteLength, isRecord } from './values.js';

/** Signals that may be asked for; KILL is what follows the grace anyway. */
export const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

const DAYS_30_SECONDS = 30 * 86_400;

export class ExternalRunDto {
  @OneOf(EXTERNAL_KINDS, { description: 'Whose work it is. A worker gets it if its `runKinds` hold `external:<kind>`.', example: 'http' })
  kind: ExternalKind;

  @Field(
    { description: 'What that program needs to know; handed over as it is.', example: { model: 'iris', epochs: 3 } },
    { type: 'object', additionalProperties: true },
    `an object of at most ${LIMITS.externalPayloadBytesMax} bytes of JSON`,
    (value) => isRecord(value) && byteLength(JSON.stringify(value)) <= LIMITS.externalPayloadBytesMax,
  )
  payload: Record<string, unknown>;
}

export class RunDto {
  @Field(
    {
      description: 'Program and arguments, given to the program byte for byte; no shell takes part.',
      example: ['node', 'train.mjs', '--seed', '7'],
      isOptional: true,
    },
    { type: 'array', items: { type: 'string', maxLength: LIMITS.argumentBytesMax }, minItems: 1 },
    `a list of texts: the program, then its arguments, each at most ${LIMITS.argumentBytesMax} bytes, the program not empty`,
    (value) => areStrings(value, LIMITS.argumentBytesMax) && Boolean(value[0]),
  )
  command?: string[];

  @Text({
    description: 'A script for `/bin/sh -c`.',
    example: 'for i in 1 2 3; do echo "$i"; sleep 1; done',
    bytesMax: LIMITS.argumentBytesMax,
    isOptional: true,
  })
  shell?: string;

  @Unsupported('run.function')
  function?: unknown;

  @Nested(() => ExternalRunDto, { description: 'Work for a program that claims jobs over REST (`docs/http-workers.md`). Our own agents do not take it.', isOptional: true })
  external?: ExternalRunDto;
}

export class NeedsDto {
  @OneOf(CAPABILITIES, { description: 'Kind of worker; a `hybrid` one serves both others.', isOptional: true })
  capability?: Capability;

  @Text({ description: 'A content type the worker must take.', example: 'image', bytesMax: 64, isOptional: true })
  contentType?: string;

  @TextMap({
    description: 'Label name → required value, or a comparison (`>=550`, `!=old`).',
    example: { zone: 'lab', driver: '>=550' },
    namePattern: LABEL_NAME,
    nameRule: LABEL_RULE,
    entriesMax: LIMITS.labelsMax,
    bytesMax: LIMITS.labelBytesMax,
    isOptional: true,
  })
  labels?: Record<string, string>;

  @Decimal({ description: 'Processor cores the machine must have.', example: 4, min: 0.01, max: 4_096, isOptional: true })
  cpus?: number;

  @Whole({ description: 'Memory the machine must have.', example: 8_000, min: 1, max: 2 ** 30, isOptional: true })
  memoryMb?: number;

  @Whole({ description: 'GPUs the machine must have; they are assigned by index.', example: 1, min: 0, max: 64, isOptional: true })
  gpus?: number;

  @Text({ description: 'Part of the GPU model\'s name.', example: 'H100', bytesMax: 64, isOptional: true })
  gpuModel?: string;

  @OneOf(CONTAINMENT_RUNGS, { description: 'How surely its processes must be contained.', isOptional: true })
  containment?: ContainmentRung;
}

export class LimitsDto {
  @Whole({ description: 'Wall time of one attempt; frozen time does not count.', example: 3_600, min: 1, max: 10 * 365 * 86_400, isOptional: true })
  runSeconds?: number;

  @Whole({ description: 'Longest wait in the queue for the first start.', example: 600, min: 1, max: 10 * 365 * 86_400, isOptional: true })
  queueSeconds?: number;

  @Whole({ description: 'Longest time without a byte of output.', example: 900, min: 1, max: 10 * 365 * 86_400, isOptional: true })
  silenceSeconds?: number;

  @Whole({ description: 'Memory of the whole process tree.', example: 8_000, min: 1, max: 2 ** 30, isOptional: true })
  memoryMb?: number;

  @Decimal({ description: 'Processor cores it may use.', example: 4, min: 0.01, max: 4_096, isOptional: true })
  cpus?: number;

  @Whole({
    description: 'Log bytes kept: the first quarter and the last three quarters of the limit.',
    example: LIMITS.logBytesDefault,
    min: 65_536,
    max: 2 ** 36,
    isOptional: true,
  })
  logBytes?: number;
}

export class RetryDto {
  @Whole({ description: 'Tries after a failure of the job itself. Default 0.', example: 2, min: 0, max: 100, isOptional: true })
  onFailure?: number;

  @Whole({ description: 'Tries after its worker was lost. Default 3.', example: 3, min: 0, max: 100, isOptional: true })
  onWorkerLost?: number;

  @Field(
    { description: 'When given, only these exit codes are retried.', example: [75], isOptional: true },
    { type: 'array', items: { type: 'integer', minimum: 0, maximum: 255 }, maxItems: 256 },
    'a list of at most 256 whole numbers from 0 to 255',
    (value) => Array.isArray(value) && value.length <= 256 && value.every((code) => Number.isInteger(code) && code >= 0 && code <= 255),
  )
  exitCodes?: number[];

  @Decimal({ description: 'Wait before the first further try; doubles with each try of the same cause. Default 5.', example: 5, min: 0, max: 86_400, isOptional: true })
  backoffSeconds?: number;

  @Flag({ description: 'Absolute: no cause is retried.', example: false, isOptional: true })
  never?: boolean;
}

export class DisconnectDto {
  @Whole({
    description: 'Added to the worker timeout: how long a started attempt outlives the last sign of its worker. Default 300.',
    example: 300,
    min: 0,
    max: DAYS_30_SECONDS,
    isOptional: true,
  })
  lostAfterSeconds?: number;

  @OneOf(ON_WORKER_LOST, { description: 'What becomes of the job when its worker is lost. Default `requeue`.', isOptional: true })
  onWorkerLost?: OnWorkerLost;

  @Flag({ description: 'At most one copy alive: a timer outside the agent kills at 0.7 of the lease.', example: false, isOptional: true })
  exclusive?: boolean;
}

export class LogsDto {
  @Flag({ description: 'Keep stdout and stderr as two streams instead of one in true order.', example: false, isOptional: true })
  separate?: boolean;
}

/** What may be asked for. Fields that are left out get their defaults when the job is accepted; then it never changes. */
export class SubmitJobDto {
  @Text({ description: 'A name for people. Default: the program\'s name.', example: 'train-iris', bytesMax: LIMITS.nameBytesMax, isOptional: true })
  name?: string;

  @Nested(() => RunDto, { description: 'What to run: exactly one of `command`, `shell` and `external`.' })
  @Expect('oneKind', 'exactly one of `command`, `shell` and `external`', hasOneKind)
  @FitsOneExec()
  run: RunDto;

  @TextMap({
    description: 'Environment variables. Names that begin with `MUSTER_` are set by Muster itself.',
    example: { LR: '0.1' },
    namePattern: /^(?!MUSTER_)[A-Za-z_][A-Za-z0-9_]{0,254}$/,
    nameRule: 'letters, digits and `_`, not beginning with a digit or `MUSTER_`',
    entriesMax: LIMITS.envEntriesMax,
    bytesMax: LIMITS.argumentBytesMax - 256,
    isOptional: true,
  })
  env?: Record<string, string>;

  @TextMap({
    description: 'Free words to find the job by.',
    example: { exp: '7' },
    namePattern: LABEL_NAME,
    nameRule: LABEL_RULE,
    entriesMax: LIMITS.labelsMax,
    bytesMax: LIMITS.labelBytesMax,
    isOptional: true,
  })
  labels?: Record<string, string>;

  @Nested(() => NeedsDto, { description: 'What a worker must offer to get the job.', isOptional: true })
  needs?: NeedsDto;

  @Nested(() => LimitsDto, { description: 'What it may use. Each is enforced as the worker reports: `hard` or `sampled`.', isOptional: true })
  limits?: LimitsDto;

  @Whole({
    description: 'Higher goes first. Default 0.',
    example: 0,
    min: LIMITS.priorityMin,
    max: LIMITS.priorityMax,
    isOptional: true,
  })
  priority?: number;

  @Whole({ description: 'Between the stop signal and KILL. Default 10.', example: 10, min: 0, max: LIMITS.graceSecondsMax, isOptional: true })
  graceSeconds?: number;

  @OneOf(STOP_SIGNALS, { description: 'The signal that asks it to stop. Default SIGTERM.', isOptional: true })
  stopSignal?: string;

  @Nested(() => RetryDto, { description: 'How often it is tried again, by cause.', isOptional: true })
  retry?: RetryDto;

  @Nested(() => DisconnectDto, { description: 'What a silent worker means for it.', isOptional: true })
  disconnect?: DisconnectDto;

  @Nested(() => LogsDto, { description: 'How its output is kept.', isOptional: true })
  logs?: LogsDto;

  @OneOf(PAUSE_MODES, {
    description: 'How `pause` stops it. `freeze` stops its processes where they are: slot, memory and GPUs stay held, the run limit does not count. '
      + '`checkpoint` is not supported yet and refused. Default freeze.',
    example: 'freeze',
    isOptional: true,
  })
  pause?: PauseMode;

  @Unsupported('secrets')
  secrets?: unknown;

  @Unsupported('inputs')
  inputs?: unknown;

  @Unsupported('outputs')
  outputs?: unknown;

  @Unsupported('sandbox')
  sandbox?: unknown;

  @Unsupported('array')
  array?: unknown;

  @Unsupported('after')
  after?: unknown;
}

/** Kinds that are known but unsupported complain for themselves. */
function hasOneKind(run: unknown): boolean {
  if (!isRecord(run) || run['function'] !== undefined) return true;
  return ['command', 'shell', 'external'].filter((kind) => run[kind] !== undefined).length === 1;
}

/** Refuses what no kernel would start, so that it fails here and not on a worker. */
function FitsOneExec(): PropertyDecorator {
  const bytes = (job: object | undefined): number => (job instanceof SubmitJobDto ? commandLineBytes(job) : 0);
  return ValidateBy(
    { name: 'fitsOneExec', validator: { validate: (_run, found) => bytes(found?.object) <= LIMITS.commandLineBytesMax } },
    {
      message: (found) =>
        `Expected arguments and variables of at most ${LIMITS.commandLineBytesMax} bytes together, got ${bytes(found.object)}.`,
    },
  );
}

/** Bytes the kernel will be handed when this job starts: arguments and variables, each with its end mark. */
function commandLineBytes(job: SubmitJobDto): number {
  const { command, shell } = isRecord(job.run) ? job.run : {};
  const words: unknown[] = Array.isArray(command) ? command : [shell];
  const variables = isRecord(job.env) ? Object.entries(job.env).map(([name, value]) => `${name}=${String(value)}`) : [];
  return [...words, ...variables].reduce<number>((total, word) => total + byteLength(String(word ?? '')) + 1, 0);
}
