import { writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { isCode, type AttemptDirectory } from '../supervisor/attempt-directory.js';
import { readSmallJson } from './small-json.js';
import type { StopReason } from './execution-types.js';

/** Why this side itself ends a job: a limit that was reached. */
export type LimitCause = 'runLimit' | 'silenceLimit' | 'memoryLimit';

/** Written before the first signal and never changed: a later exit is classified by what was intended. */
export interface StopRecord {
  readonly cause: StopReason | LimitCause;
  /** Seconds on the boot clock; an end before this moment was not our doing. */
  readonly atSeconds: number;
  /** When the grace is over, seconds on the boot clock. A later agent goes on from here. */
  readonly killAtSeconds: number;
  readonly signal: string;
  /** For a limit: which, in words. */
  readonly detail: string | null;
}

/** What is asked for; a record once it is known when. */
export interface StopWish {
  readonly cause: StopRecord['cause'];
  readonly graceMs: number;
  readonly detail: string | null;
}

export function toStopRecord(wish: StopWish, stopSignal: string, nowSeconds: number): StopRecord {
  const { cause, detail, graceMs } = wish;
  const killAtSeconds = nowSeconds + graceMs / 1_000;
  return { cause, detail, atSeconds: nowSeconds, killAtSeconds, signal: toSignal(stopSignal) };
}

/** Null for no stop, and for a limit: then nobody asked. */
export function toStopReason(record: StopRecord | null): StopReason | null {
  const cause = record?.cause;
  return cause === 'cancelled' || cause === 'superseded' || cause === 'stopped' ? cause : null;
}

/** Names the machine does not know fall back to the one every program understands. */
export function toSignal(name: string): NodeJS.Signals {
  return name in constants.signals ? (name as NodeJS.Signals) : 'SIGTERM';
}

/** The first record wins, also over one an earlier agent wrote. Resolves to the one that holds. */
export async function writeStopRecord(directory: AttemptDirectory, record: StopRecord): Promise<StopRecord> {
  try {
    await writeFile(directory.file('stop'), JSON.stringify(record), { flag: 'wx', mode: 0o600 });
    return record;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return readStopRecord(directory) ?? record;
    // A full disk must not keep a job from being stopped; only the memory of it in a later life of the agent is lost.
    return record;
  }
}

export function readStopRecord(directory: AttemptDirectory): StopRecord | null {
  return readSmallJson<StopRecord>(directory.file('stop'));
}
