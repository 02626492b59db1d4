import type { ContainmentRung } from '@muster/protocol';
import { readStart, type AttemptDirectory } from '../supervisor/attempt-directory.js';
import { decideRecovery } from '../supervisor/recovery.js';
import { readRecoveryFacts } from '../supervisor/recovery-reader.js';
import { classifyExit } from './classify-exit.js';
import type { EndPart } from './execution-hook.js';
import type { ExecutionEnd } from './execution-types.js';
import { readSmallJson, replaceJson } from './small-json.js';
import type { StopRecord } from './stop-record.js';
import type { UsageMeter } from './usage.js';

export interface EndInputs {
  readonly directory: AttemptDirectory;
  readonly stop: StopRecord | null;
  readonly lost: 'supervisorDied' | 'reboot' | null;
  readonly isUnkillable: boolean;
  readonly rung: ContainmentRung;
  readonly signalKnown: boolean;
  readonly outOfMemory: boolean;
  readonly leftovers: number;
  /** Seconds on the boot clock; null when nothing ran. */
  readonly startedAtSeconds: number | null;
  readonly part: EndPart;
  readonly meter: UsageMeter;
}

/** Puts an end together from what the directory says and what was noticed on the way. */
export function toEnd(inputs: EndInputs): ExecutionEnd {
  const { directory, rung } = inputs;
  const status = directory.readStatus();
  // Codes tell nothing: 125 to 127 are also programs' own, and shells end with others when a redirection fails. The mark does.
  const noexec = status !== null && status.code !== 0 && directory.has('noexec');
  const wasForbidden = status === null ? neverRan(directory) : noexec && directory.readGo() === 'agent';
  const classified = classifyExit({
    status,
    noexec,
    wasForbidden,
    stop: inputs.stop,
    overdue: status?.code !== 0 && directory.has('overdue'),
    outOfMemory: inputs.outOfMemory,
    lost: inputs.lost,
    unkillable: inputs.isUnkillable,
    rung,
    signalKnown: inputs.signalKnown,
    lastLine: noexec ? lastLineOf(directory) : null,
  });
  const ranMs = status && !noexec ? ranBetween(inputs.startedAtSeconds, status.atSeconds) : null;
  const { detail: partDetail, ...rest } = inputs.part;
  return {
    ...classified,
    ...rest,
    detail: [classified.detail, partDetail].filter(Boolean).join(' ') || null,
    usage: inputs.meter.total(ranMs === null ? null : ranMs / 1_000),
    leftovers: Math.max(inputs.leftovers, rung === 'cgroup' ? directory.readLeftovers() : 0),
    containment: rung,
    ranMs,
  };
}

/** By the mark of whoever forbade it, or, where a full disk took the words of that, by the claim that nobody made. */
function neverRan(directory: AttemptDirectory): boolean {
  return directory.readGo() === 'agent' || decideRecovery(readRecoveryFacts(directory)).kind === 'neverStarted';
}

function ranBetween(startedAtSeconds: number | null, endedAtSeconds: number): number | null {
  if (startedAtSeconds === null) return null;
  return Math.max(0, Math.round((endedAtSeconds - startedAtSeconds) * 1_000));
}

const LINE_LENGTH_MAX = 300;

function lastLineOf(directory: AttemptDirectory): string | null {
  const lines = (readStart(directory.file('output'), 4096, 'utf8') ?? '').trim().split('\n');
  return lines.at(-1)?.slice(0, LINE_LENGTH_MAX) || null;
}

const SHORT_MS = 5_000;

/** True when `toEnd` would say the same after a restart, but for the usage of a job too short to have much. */
export function isDerivable(end: ExecutionEnd): boolean {
  return end.ranMs !== null && end.ranMs < SHORT_MS && end.leftovers === 0 && end.outcome !== 'unkillable';
}

/** Whole or not at all: half an end would have a later agent put together another one. */
export async function writeEnd(directory: AttemptDirectory, end: ExecutionEnd): Promise<void> {
  await replaceJson(directory.file('end'), end);
}

/** Null when it is absent or was cut off: then the end is put together again. */
export function readEnd(directory: AttemptDirectory): ExecutionEnd | null {
  return readSmallJson<ExecutionEnd>(directory.file('end'));
}
