/** What a validator of single fields cannot see: fields that contradict each other, and what no machine could start. */
import { LIMITS, TIMES, leaseMs } from '@muster/protocol';
import type { FieldError, JobSpec } from '@muster/protocol';
import { parseLabelExpression } from './label-expression.js';
import type { SubmittedJob } from './spec-defaults.js';

/** Signals that may be asked for. KILL is what follows the grace, and needs no asking. */
export const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
/** How much faster or slower the agent's clock may run than the database's. */
const DRIFT = 1.02;
/** How far the database's clock may be set while a lease runs. */
const CLOCK_STEP_MS = 1_000;

type Complain = (pointer: string, detail: string) => void;

export function checkSpec(spec: JobSpec, submitted: SubmittedJob, workerTimeoutMs: number): FieldError[] {
  const errors: FieldError[] = [];
  const complain: Complain = (pointer, detail) => errors.push({ pointer, detail });
  checkRun(spec, submitted, complain);
  checkTexts(spec, complain);
  checkNeeds(spec, complain);
  checkPolicies(spec, submitted, complain);
  checkPause(spec, complain);
  checkFence(spec, workerTimeoutMs, complain);
  return errors;
}

function checkRun(spec: JobSpec, submitted: SubmittedJob, complain: Complain): void {
  const kinds = (['command', 'shell', 'function', 'external'] as const).filter((kind) => submitted.run[kind] !== undefined);
  if (kinds.length !== 1) {
    complain('/run', `Expected exactly one of command, shell, function and external, got ${kinds.join(' and ') || 'none'}.`);
  }
  if (submitted.run.function !== undefined) complain('/run', 'This version runs command, shell and external only.');
  if (spec.run.command !== undefined && (spec.run.command[0] ?? '') === '') complain('/run/command/0', 'Expected the program, got an empty text.');
  if (spec.run.shell?.trim() === '') complain('/run/shell', 'Expected a script, got blanks only.');
}

/** No kernel takes a NUL in an argument or a variable, nor more bytes than its limits. */
function checkTexts(spec: JobSpec, complain: Complain): void {
  const texts: [pointer: string, text: string][] = [
    ...(spec.run.command ?? []).map((text, i): [string, string] => [`/run/command/${i}`, text]),
    ...(spec.run.shell === undefined ? [] : [['/run/shell', spec.run.shell] as [string, string]]),
    ...Object.entries(spec.env).map(([name, value]): [string, string] => [`/env/${escapePointer(name)}`, `${name}=${value}`]),
  ];
  let totalBytes = 0;
  for (const [pointer, text] of texts) {
    const bytes = utf8Length(text);
    totalBytes += bytes + 1;
    if (text.includes('\0')) complain(pointer, `Expected text without NUL, got one at index ${text.indexOf('\0')}.`);
    if (bytes > LIMITS.argumentBytesMax) complain(pointer, `Expected at most ${LIMITS.argumentBytesMax} bytes, got ${bytes}.`);
  }
  if (totalBytes > LIMITS.commandLineBytesMax) {
    complain('/run', `Expected arguments and variables of at most ${LIMITS.commandLineBytesMax} bytes together, got ${totalBytes}.`);
  }
  if (spec.name.includes('\0')) complain('/name', 'Expected text without NUL.');
  for (const [name, value] of Object.entries(spec.labels)) {
    if (`${name}${value}`.includes('\0')) complain(`/labels/${escapePointer(name)}`, 'Expected text without NUL.');
  }
}

function checkNeeds(spec: JobSpec, complain: Complain): void {
  for (const [name, text] of Object.entries(spec.needs.labels ?? {})) {
    const parsed = parseLabelExpression(text);
    if (!parsed.ok) complain(`/needs/labels/${escapePointer(name)}`, `${parsed.message}; wrong at character ${parsed.at + 1} of "${text}".`);
  }
  if (spec.needs.gpuModel !== undefined && spec.needs.gpus === 0) {
    complain('/needs/gpuModel', 'Expected no GPU model with 0 GPUs.');
  }
  if (!STOP_SIGNALS.some((signal) => signal === spec.stopSignal)) {
    complain('/stopSignal', `Expected one of ${STOP_SIGNALS.join(', ')}, got "${spec.stopSignal}".`);
  }
}

function checkPolicies(spec: JobSpec, submitted: SubmittedJob, complain: Complain): void {
  const { retry, disconnect } = spec;
  if (retry.never === true && retry.onFailure > 0) complain('/retry/onFailure', 'Expected 0 with retry.never, which is absolute.');
  if (retry.never === true && retry.onWorkerLost > 0) complain('/retry/onWorkerLost', 'Expected 0 with retry.never, which is absolute.');
  if (retry.never === true && submitted.disconnect?.onWorkerLost === 'requeue') {
    complain('/disconnect/onWorkerLost', 'Expected fail or wait with retry.never, got requeue.');
  }
  if (retry.exitCodes !== undefined && retry.onFailure === 0) {
    complain('/retry/exitCodes', 'Expected retry.onFailure above 0 with it: it says which failures are retried, not how often.');
  }
  if (disconnect.exclusive && spec.run.external !== undefined) {
    complain('/disconnect/exclusive', 'Expected false with run.external: only our own agent has the timer that keeps the promise. Fence writes by the epoch instead.');
  }
  if (disconnect.exclusive && disconnect.onWorkerLost === 'wait') {
    complain('/disconnect/onWorkerLost', 'Expected requeue or fail with exclusive: waiting has no end, and a fence needs one.');
  }
}

function checkPause(spec: JobSpec, complain: Complain): void {
  if (spec.pause === 'checkpoint') complain('/pause', 'This version pauses by freeze only: pause by checkpoint is not supported yet. Leave it out, or say freeze.');
}

/** The process must be proven dead on the agent before the server may give the job away. */
function checkFence(spec: JobSpec, workerTimeoutMs: number, complain: Complain): void {
  if (!spec.disconnect.exclusive || spec.disconnect.onWorkerLost === 'wait') return;
  const lease = leaseMs(workerTimeoutMs, spec.disconnect.lostAfterSeconds);
  const deadAfterMs = fenceMs(lease) * DRIFT + spec.graceSeconds * 1_000 + CLOCK_STEP_MS;
  if (deadAfterMs >= lease) {
    complain(
      '/disconnect/exclusive',
      `A lease of ${lease / 1_000} s is too short for a grace of ${spec.graceSeconds} s: the old copy could be alive for ` +
        `${Math.ceil(deadAfterMs / 1_000)} s. Raise disconnect.lostAfterSeconds or lower graceSeconds.`,
    );
  }
}

/** When, counted from the sending of the last accepted renewal, an exclusive process is killed without the server's word. */
export function fenceMs(leaseLengthMs: number): number {
  return Math.round(leaseLengthMs * TIMES.agentShare);
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
