/** What a worker over HTTP says of one attempt: that it begins and goes on, what it printed and measured, how it ended. */
import { AGENT_LOG_STREAMS, EXECUTION_STATES, LIMITS, REPORTED_OUTCOMES } from '@muster/protocol';
import type { ExecutionState, ReportedOutcome } from '@muster/protocol';
import { Decimal, Expect, Field, Judged, ListOf, Moment, Nested, OneOf, Text, Whole } from './fields.js';
import { Session } from './http-worker.fields.js';
import { byteLength, isRecord, shown } from './values.js';

const BYTES_MAX = Number.MAX_SAFE_INTEGER;
const POINTS_MAX = 2_000;
const DETAIL_BYTES_MAX = 64 * 1024;

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

function valuesComplaint(values: unknown): string | null {
  if (!isRecord(values)) return `Expected an object of names and numbers, got ${shown(values)}.`;
  const entries = Object.entries(values);
  if (entries.length > LIMITS.metricKeysPerPointMax) return `Expected at most ${LIMITS.metricKeysPerPointMax} names, got ${entries.length}.`;
  const odd = entries.find(([, value]) => !isMeasured(value));
  return odd ? `Expected a number as the value of ${shown(odd[0])}, or "NaN", "Infinity", "-Infinity"; got ${shown(odd[1])}.` : null;
}

export class MeasuredPointDto {
  @Whole({ description: 'Step of the training, or whatever is counted.', example: 1, min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, isOptional: true })
  step?: number;

  @Moment({ description: 'When it was measured. Default: now.', isOptional: true })
  at?: string;

  @Judged(
    { description: 'Name to number. What is no number in JSON travels as `"NaN"`, `"Infinity"` or `"-Infinity"`.', example: { loss: 0.3 } },
    { type: 'object', additionalProperties: { type: ['number', 'string'] } },
    valuesComplaint,
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
