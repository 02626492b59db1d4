/** What the control plane may say, as decoders: nothing it says is believed before it has the agreed shape. */
import {
  CAPABILITIES,
  CONTAINMENT_RUNGS,
  DISCONNECTS,
  EXTERNAL_KINDS,
  ON_WORKER_LOST,
  PAUSE_MODES,
} from '@muster/protocol';
import type {
  Ack,
  AgentToServerEvents,
  AttemptCommand,
  AttemptRef,
  BeatAck,
  DisconnectPolicy,
  DisconnectReason,
  EndAck,
  HelloAck,
  JobLimits,
  JobNeeds,
  JobSpec,
  LogAck,
  Offer,
  RetryPolicy,
  RunSpec,
  ServerToAgentEvents,
  StartAck,
  Verdict,
} from '@muster/protocol';
import {
  anything,
  attemptId,
  BadShape,
  byKind,
  flag,
  jobId,
  listOf,
  mapOf,
  nullable,
  number,
  object,
  oneOf,
  optional,
  text,
  whole,
  workerId,
  type Decode,
} from './shape.js';

export type RequestName = keyof AgentToServerEvents;
export type BodyOf<E extends RequestName> = Parameters<AgentToServerEvents[E]>[0];
/** What the acknowledgement of a request carries when it is not an error. */
export type AnswerOf<E extends RequestName> =
  Parameters<Parameters<AgentToServerEvents[E]>[1]>[0] extends Ack<infer T> ? T : never;

const attemptRef = object<AttemptRef>({ attemptId, epoch: whole(0) });
const leaseMs = nullable(number(0));

const command = object<AttemptCommand>({
  kind: oneOf(['stop', 'forceStop', 'freeze', 'thaw']),
  graceSeconds: number(0),
  reason: oneOf(['cancelled', 'paused', 'resumed']),
  isPlanned: optional(flag),
});

const verdict = byKind<Verdict>({
  keep: object({ kind: oneOf(['keep']), ref: attemptRef, leaseMs, command: nullable(command) }),
  stop: object({ kind: oneOf(['stop']), ref: attemptRef, reason: oneOf(['superseded', 'unknown']) }),
  reclaimed: object({ kind: oneOf(['reclaimed']), ref: attemptRef, attempt: attemptRef, leaseMs }),
  unleased: object({ kind: oneOf(['unleased']), ref: attemptRef }),
  reportEnd: object({ kind: oneOf(['reportEnd']), ref: attemptRef }),
});

const helloAck = object<HelloAck>({
  workerId,
  name: text,
  session: whole(0),
  beatIntervalMs: number(1),
  workerTimeoutMs: number(1),
  verdicts: listOf(verdict),
  logChunkBytesMax: optional(whole(1)),
  slots: optional(whole(0)),
});

const beatAck = object<BeatAck>({
  beatIntervalMs: number(1),
  sampleRefused: optional(text),
  slots: optional(whole(0)),
  verdicts: listOf(verdict),
});

const startAck = byKind<StartAck>({
  go: object({ kind: oneOf(['go']), leaseMs }),
  no: object({ kind: oneOf(['no']), reason: oneOf(['superseded', 'cancelled', 'expired']) }),
});

const endAck = byKind<EndAck>({
  accepted: object({ kind: oneOf(['accepted']) }),
  repeated: object({ kind: oneOf(['repeated']) }),
  superseded: object({ kind: oneOf(['superseded']) }),
});

const storedLength = object<{ readonly storedLength: number }>({ storedLength: whole(0) });

const logAck: Decode<LogAck> = (value, at) => {
  if (typeof value !== 'object' || value === null) throw new BadShape(at, 'an object');
  if ('gone' in value) return { gone: true };
  if ('retryAfterMs' in value) return { retryAfterMs: number(0)(value.retryAfterMs, 'retryAfterMs') };
  return storedLength(value, at);
};

const done = object<Record<string, never>>({});

const ANSWERS: { readonly [E in RequestName]: Decode<AnswerOf<E>> } = {
  'worker:hello': helloAck,
  'worker:beat': beatAck,
  'attempt:start': startAck,
  'attempt:refuse': done,
  'attempt:end': endAck,
  'attempt:progress': done,
  'log:append': logAck,
  'metrics:append': storedLength,
};

const refusal = object<{
  readonly code: 'notSynced' | 'superseded' | 'unavailable' | 'invalidMessage' | 'shuttingDown';
  readonly detail: string;
}>({
  code: oneOf(['notSynced', 'superseded', 'unavailable', 'invalidMessage', 'shuttingDown']),
  detail: text,
});

/** @throws BadShape */
export function decodeAck<E extends RequestName>(event: E, value: unknown): Ack<AnswerOf<E>> {
  const { ok, error } = object<{ readonly ok?: unknown; readonly error?: unknown }>({ ok: anything, error: anything })(
    value,
    '',
  );
  if (error !== undefined) return { error: refusal(error, 'error') };
  return { ok: ANSWERS[event](ok, 'ok') };
}

const runSpec: Decode<RunSpec> = (value, at) => {
  const spec = object<RunSpec>({
    command: optional(listOf(text)),
    shell: optional(text),
    function: optional(
      object<NonNullable<RunSpec['function']>>({
        runtime: oneOf(['node', 'python']),
        source: text,
        export: optional(text),
        args: optional(listOf(anything)),
      }),
    ),
    external: optional(
      object<NonNullable<RunSpec['external']>>({ kind: oneOf(EXTERNAL_KINDS), payload: mapOf(anything) }),
    ),
  })(value, at);
  if (Object.keys(spec).length !== 1) throw new BadShape(at, 'exactly one of command, shell, function, external');
  return spec;
};

const needs = object<JobNeeds>({
  capability: optional(oneOf(CAPABILITIES)),
  contentType: optional(text),
  labels: optional(mapOf(text)),
  cpus: optional(number(0)),
  memoryMb: optional(number(0)),
  gpus: optional(whole(0)),
  gpuModel: optional(text),
  containment: optional(oneOf(CONTAINMENT_RUNGS)),
});

const limits = object<JobLimits>({
  runSeconds: optional(number(0)),
  queueSeconds: optional(number(0)),
  silenceSeconds: optional(number(0)),
  memoryMb: optional(number(0)),
  cpus: optional(number(0)),
  logBytes: optional(whole(0)),
});

const retry = object<RetryPolicy>({
  onFailure: whole(0),
  onWorkerLost: whole(0),
  exitCodes: optional(listOf(whole(0))),
  backoffSeconds: number(0),
  never: optional(flag),
});

const disconnect = object<DisconnectPolicy>({
  lostAfterSeconds: number(0),
  onWorkerLost: oneOf(ON_WORKER_LOST),
  exclusive: flag,
});

const jobSpec = object<JobSpec>({
  name: text,
  run: runSpec,
  env: mapOf(text),
  labels: mapOf(text),
  needs,
  limits,
  priority: number(),
  graceSeconds: number(0),
  stopSignal: text,
  retry,
  disconnect,
  logs: object<JobSpec['logs']>({ separate: flag }),
  pause: optional(oneOf(PAUSE_MODES)),
});

const offer = object<Offer>({
  attemptId,
  epoch: whole(0),
  jobId,
  number: whole(1),
  spec: jobSpec,
  gpus: listOf(whole(0)),
  offerTtlMs: number(1),
});

const REASONS = Object.keys(DISCONNECTS) as DisconnectReason[];

type ServerMessages = { readonly [E in keyof ServerToAgentEvents]: Decode<Parameters<ServerToAgentEvents[E]>[0]> };

/** One decoder per message of the control plane. */
export const SERVER_MESSAGES: ServerMessages = {
  'attempt:offer': offer,
  'attempt:command': (value, at) => ({ ...attemptRef(value, at), ...object({ command })(value, at) }),
  'attempt:withdraw': attemptRef,
  'worker:closing': object({ reason: oneOf(REASONS), detail: (value) => (typeof value === 'string' ? value : '') }),
};

/** Why a connection was refused, as the handshake's error tells it; null when it does not tell. */
export function toDisconnectReason(value: unknown): DisconnectReason | null {
  return REASONS.find((reason) => reason === value) ?? null;
}
