/** A look at a machine as rows of series: what is stored, without a clock or a database. */
import { SAMPLE_MEASURES } from '@muster/protocol';
import type { AttemptId, SampleSubject, WorkerSample } from '@muster/protocol';

/** One row of a series at one moment. */
export interface Measured {
  /** `machine`, `gpu:<index>` or the id of an attempt. */
  readonly subject: string;
  /** In the order of `SAMPLE_MEASURES`; null: not known. */
  readonly values: readonly (number | null)[];
}

export interface Subject {
  readonly kind: SampleSubject;
  readonly gpuIndex: number | null;
  readonly attemptId: AttemptId | null;
}

export const MACHINE = 'machine';
const GPU = /^gpu:(\d{1,4})$/;

/** @param latencyMs there and back to the agent, as the server measured it */
export function toMeasured(sample: WorkerSample, latencyMs: number | null): Measured[] {
  const { gpus = [], attempts = [] } = sample;
  return [
    row(MACHINE, 'machine', { ...sample, latencyMs }),
    ...gpus.map((gpu) => row(`gpu:${gpu.index}`, 'gpu', gpu)),
    ...attempts.map((attempt) => row(attempt.attemptId, 'attempt', attempt)),
  ].filter(({ values }) => values.some((value) => value !== null));
}

function row(subject: string, kind: SampleSubject, look: object): Measured {
  const values: Readonly<Record<string, unknown>> = { ...look };
  return {
    subject,
    values: SAMPLE_MEASURES[kind].map((name) => {
      const value = values[name];
      return typeof value === 'number' && Number.isFinite(value) ? value : null;
    }),
  };
}

export function toSubject(text: string): Subject {
  if (text === MACHINE) return { kind: 'machine', gpuIndex: null, attemptId: null };
  const index = GPU.exec(text)?.[1];
  if (index !== undefined) return { kind: 'gpu', gpuIndex: Number(index), attemptId: null };
  return { kind: 'attempt', gpuIndex: null, attemptId: text as AttemptId };
}
