/**
 * From unknown to message, one function per event of an agent, in the order of the protocol. Written by hand because
 * these are the hottest events there are; fields that the protocol does not know are dropped here (compatibility rule).
 */
import {
  AGENT_LOG_STREAMS, CONTAINMENT_RUNGS, EXECUTION_STATES, LIMITS, LOG_ENCODINGS, OUTCOMES, REFUSALS,
  type AttemptEnd, type AttemptRef, type Beat, type ExecutionReport, type Exit, type Hello, type LogChunk, type LogProof,
  type MetricPoint, type MetricsAppend, type Progress, type Refuse, type Usage,
} from '@muster/protocol';
import { InvalidMessage } from './invalid-message.js';
import { readInventory } from './inventory-message.js';
import { checkShape, depthOf, isBytes, toStorableText } from './message-shape.js';
import {
  readFlag, readId, readInteger, readList, readMoment, readNullable, readNumber, readObject, readOneOf, readOptional, readRecord,
  readText, type Fields, type Reader,
} from './readers.js';
import { readSample } from './sample-message.js';

const SMALL = { depthMax: LIMITS.jsonDepthMax, entriesMax: LIMITS.jsonKeysMax };
/** Hellos and beats list every execution; the size of a message bounds them too. */
const LISTS = { depthMax: LIMITS.jsonDepthMax, entriesMax: 100_000 };
const EXECUTIONS_MAX = 20_000;
const POINTS_MAX = 2_000;
const SESSION_MAX = 2 ** 31 - 1;
const DETAIL_MAX = 4_000;
const PROGRESS_MAX = 1_000;
const RESULT_DEPTH_MAX = 100;

const readEpoch = readInteger(0, SESSION_MAX);
const readOffset = readInteger(0, Number.MAX_SAFE_INTEGER);
const readShort = readText(LIMITS.nameBytesMax);
const readDetail = readText(DETAIL_MAX);

/**
 * Words for people are stored as well as they can be. An agent tells an end, a refusal or the last progress until it is
 * heard: refused for its words it would be told for ever, and its job would never end.
 */
function withWords(fields: Fields, name: string, lengthMax: number): Fields {
  const words = fields[name];
  return typeof words === 'string' ? { ...fields, [name]: toStorableText(words, lengthMax) } : fields;
}

function readRef(fields: Fields, at = ''): AttemptRef {
  return { attemptId: readId('att')(fields.attemptId, `${at}attemptId`), epoch: readEpoch(fields.epoch, `${at}epoch`) };
}

const readExecution: Reader<ExecutionReport> = (value, at) => {
  const fields = readObject(value, at);
  return { ...readRef(fields, `${at}.`), state: readOneOf(EXECUTION_STATES)(fields.state, `${at}.state`) };
};
const readExecutions = readList(readExecution, EXECUTIONS_MAX);
const readGpusHeld = readOptional(readList(readInteger(0, LIMITS.gpuIndexMax), LIMITS.gpusMax));

export function readHello(body: unknown): Hello {
  checkShape(body, LISTS);
  const fields = readObject(body, '');
  return {
    protocolVersion: readShort(fields.protocolVersion, 'protocolVersion'),
    agentVersion: readShort(fields.agentVersion, 'agentVersion'),
    ...(fields.workerId === undefined || fields.workerId === null ? {} : { workerId: readId('wkr')(fields.workerId, 'workerId') }),
    machineId: readShort(fields.machineId, 'machineId'),
    instanceId: readShort(fields.instanceId, 'instanceId'),
    session: readInteger(0, SESSION_MAX)(fields.session, 'session'),
    bootId: readShort(fields.bootId, 'bootId'),
    name: readShort(fields.name, 'name'),
    slots: readInteger(0, 10_000)(fields.slots, 'slots'),
    inventory: readInventory(fields.inventory, 'inventory'),
    executions: readExecutions(fields.executions, 'executions'),
    gpusHeld: readGpusHeld(fields.gpusHeld, 'gpusHeld') ?? [],
  };
}

/** A beat, and why its sample was not taken, if it was not. */
export interface BeatRead extends Beat {
  readonly sampleRefused?: string;
}

/** The beat renews leases: a sample that cannot be taken is left out of it, and named, and never costs that. */
export function readBeat(body: unknown): BeatRead {
  const { sample, ...fields } = readObject(body, '');
  checkShape(fields, LISTS);
  return {
    session: readInteger(0, SESSION_MAX)(fields.session, 'session'),
    executions: readExecutions(fields.executions, 'executions'),
    ...takeSample(sample),
    paused: readFlag(fields.paused, 'paused'),
    slotsFree: readInteger(0, 10_000)(fields.slotsFree, 'slotsFree'),
    gpusHeld: readGpusHeld(fields.gpusHeld, 'gpusHeld') ?? [],
  };
}

function takeSample(sample: unknown): Pick<BeatRead, 'sample' | 'sampleRefused'> {
  try {
    checkShape(sample, LISTS);
    return { sample: readNullable(readSample)(sample, 'sample') };
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    return { sample: null, sampleRefused: error.message };
  }
}

export function readStart(body: unknown): AttemptRef {
  checkShape(body, SMALL);
  return readRef(readObject(body, ''));
}

export function readRefuse(body: unknown): Refuse {
  const fields = withWords(readObject(body, ''), 'detail', DETAIL_MAX);
  checkShape(fields, SMALL);
  const detail = readOptional(readDetail)(fields.detail, 'detail');
  return { ...readRef(fields), reason: readOneOf(REFUSALS)(fields.reason, 'reason'), ...(detail === undefined ? {} : { detail }) };
}

const readExit: Reader<Exit> = (value, at) => {
  const fields = readObject(value, at);
  const exit = {
    code: readNullable(readInteger(0, 2 ** 32))(fields.code, `${at}.code`),
    signal: readNullable(readShort)(fields.signal, `${at}.signal`),
  };
  return readOptional(readFlag)(fields.likely, `${at}.likely`) === true ? { ...exit, likely: true } : exit;
};

const readUsage: Reader<Usage> = (value, at) => {
  const fields = readObject(value, at);
  const read = (name: keyof Usage): number | null => readNullable(readNumber)(fields[name], `${at}.${name}`);
  return { cpuSeconds: read('cpuSeconds'), memoryBytesPeak: read('memoryBytesPeak'), wallSeconds: read('wallSeconds') };
};

const readProof: Reader<LogProof> = (value, at) => {
  const fields = readObject(value, at);
  const sha256 = readText(64)(fields.sha256, `${at}.sha256`);
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new InvalidMessage(`${at}.sha256`, 'expected 64 lower-case hexadecimal digits');
  return { length: readOffset(fields.length, `${at}.length`), sha256 };
};

export function readEnd(body: unknown): AttemptEnd {
  const { result, ...said } = readObject(body, '');
  const rest = withWords(said, 'detail', DETAIL_MAX);
  checkShape(rest, SMALL);
  const refusal = result === undefined ? null : whyNotKept(result);
  const detail = readNullable(readDetail)(rest.detail, 'detail');
  const logs = readObject(rest.logs, 'logs');
  return {
    ...readRef(rest),
    outcome: readOneOf(OUTCOMES)(rest.outcome, 'outcome'),
    exit: readNullable(readExit)(rest.exit, 'exit'),
    detail: refusal === null ? detail : [detail, refusal].filter(Boolean).join(' '),
    ...(result === undefined || refusal !== null ? {} : { result }),
    usage: readUsage(rest.usage, 'usage'),
    containment: readOneOf(CONTAINMENT_RUNGS)(rest.containment, 'containment'),
    leftovers: readInteger(0, SESSION_MAX)(rest.leftovers, 'leftovers'),
    logs: Object.fromEntries(
      AGENT_LOG_STREAMS.filter((stream) => logs[stream] !== undefined).map((stream) => [stream, readProof(logs[stream], `logs.${stream}`)]),
    ),
    ranMs: readNullable(readNumber)(rest.ranMs, 'ranMs'),
  };
}

/**
 * The result is the job's own JSON. One that cannot be kept must not keep the end from being accepted, or the job would
 * never end: it is dropped, and the attempt says why.
 */
function whyNotKept(result: unknown): string | null {
  if (depthOf(result) > RESULT_DEPTH_MAX) return `The result was not kept: nested deeper than ${RESULT_DEPTH_MAX} levels.`;
  const sizeBytes = Buffer.byteLength(JSON.stringify(result));
  const limit = LIMITS.resultSocketBytesMax;
  return sizeBytes > limit ? `The result was not kept: ${sizeBytes} bytes, at most ${limit} are taken.` : null;
}

export function readProgress(body: unknown): Progress {
  const fields = withWords(readObject(body, ''), 'message', PROGRESS_MAX);
  checkShape(fields, SMALL);
  const fraction = readNullable(readNumber)(fields.fraction, 'fraction');
  if (fraction !== null && (fraction < 0 || fraction > 1)) throw new InvalidMessage('fraction', 'expected a number from 0 to 1');
  return { ...readRef(fields), fraction, message: readNullable(readText(PROGRESS_MAX))(fields.message, 'message') };
}

export function readLogChunk(body: unknown): LogChunk {
  checkShape(body, SMALL);
  const fields = readObject(body, '');
  if (!isBytes(fields.bytes)) throw new InvalidMessage('bytes', 'expected bytes');
  return {
    ...readRef(fields),
    stream: readOneOf(AGENT_LOG_STREAMS)(fields.stream, 'stream'),
    offset: readOffset(fields.offset, 'offset'),
    rawLength: readInteger(1, Number.MAX_SAFE_INTEGER)(fields.rawLength, 'rawLength'),
    encoding: readOneOf(LOG_ENCODINGS)(fields.encoding, 'encoding'),
    readAt: readMoment(fields.readAt, 'readAt'),
    bytes: fields.bytes,
  };
}

/** NaN and the infinities have no place in JSON: they travel and are stored as these texts. */
const NOT_FINITE = ['NaN', 'Infinity', '-Infinity'];
const readMetricValue: Reader<number> = (value, at) =>
  typeof value === 'string' && NOT_FINITE.includes(value) ? (value as string & number) : readNumber(value, at);

const readPoint: Reader<MetricPoint> = (value, at) => {
  const fields = readObject(value, at);
  return {
    step: readNullable(readInteger(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER))(fields.step, `${at}.step`),
    at: readMoment(fields.at, `${at}.at`),
    values: readRecord(readMetricValue, LIMITS.metricKeysPerPointMax)(fields.values, `${at}.values`),
  };
};

export function readMetrics(body: unknown): MetricsAppend {
  checkShape(body, LISTS);
  const fields = readObject(body, '');
  return {
    ...readRef(fields),
    offset: readOffset(fields.offset, 'offset'),
    rawLength: readInteger(1, Number.MAX_SAFE_INTEGER)(fields.rawLength, 'rawLength'),
    points: readList(readPoint, POINTS_MAX)(fields.points, 'points'),
  };
}
