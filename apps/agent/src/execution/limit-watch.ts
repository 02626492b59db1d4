/** Limits this agent watches over itself. Pure: samples in, the first limit that is reached out. */
import type { JobLimits } from '@muster/protocol';
import type { LimitCause } from './stop-record.js';

export interface LimitSample {
  /** Since the start, without frozen time; milliseconds. */
  readonly ranMs: number;
  /** Since the output last grew (or the start), without frozen time; milliseconds. */
  readonly silentMs: number;
  /** Of the whole tree; null when it was not looked at. */
  readonly memoryBytes: number | null;
}

export interface LimitHit {
  readonly cause: LimitCause;
  readonly detail: string;
  /** Memory is not given a grace: what grows goes on growing. */
  readonly isUrgent: boolean;
}

export function limitHit(limits: JobLimits, sample: LimitSample): LimitHit | null {
  const { runSeconds, silenceSeconds, memoryMb } = limits;
  if (memoryMb !== undefined && sample.memoryBytes !== null && sample.memoryBytes > memoryMb * MEBIBYTE) {
    const used = Math.ceil(sample.memoryBytes / MEBIBYTE);
    const detail = `It used ${used} MiB of memory; its limit is ${memoryMb} MiB (sampled).`;
    return { cause: 'memoryLimit', detail, isUrgent: true };
  }
  if (runSeconds !== undefined && sample.ranMs >= runSeconds * 1_000) {
    return { cause: 'runLimit', detail: `It ran longer than its limit of ${runSeconds} s.`, isUrgent: false };
  }
  if (silenceSeconds !== undefined && sample.silentMs >= silenceSeconds * 1_000) {
    const detail = `It printed nothing for ${silenceSeconds} s, its limit of silence.`;
    return { cause: 'silenceLimit', detail, isUrgent: false };
  }
  return null;
}

const MEBIBYTE = 1024 * 1024;
