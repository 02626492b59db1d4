/** Looks at machines, and at attempts that run on them, as they went over time. */
import type { AttemptId, WorkerId } from './ids.js';

export const SAMPLE_RESOLUTIONS = ['raw', 'minute', 'hour'] as const;
/** `raw`: as they came with the beats. `minute`, `hour`: rolled up, and kept for longer. */
export type SampleResolution = (typeof SAMPLE_RESOLUTIONS)[number];

/** What each series measures. Places are stored: new ones go to the end. */
export const SAMPLE_MEASURES = {
  machine: [
    'cpuPercent', 'memoryUsedMb', 'diskFreeMb', 'networkReceivedBytesPerSecond', 'networkSentBytesPerSecond', 'diskReadBytesPerSecond',
    'diskWrittenBytesPerSecond', 'latencyMs',
  ],
  gpu: ['utilisationPercent', 'memoryUsedMb', 'memoryTotalMb', 'temperatureCelsius', 'powerWatts'],
  attempt: ['cpuSeconds', 'memoryBytes', 'gpuMemoryMb'],
} as const;
export type SampleSubject = keyof typeof SAMPLE_MEASURES;
export type SampleMeasure = (typeof SAMPLE_MEASURES)[SampleSubject][number];

export const SAMPLE_LIMITS = {
  /** Buckets of one answer where a number of points is asked for. */
  pointsMax: 1_000,
  pointsDefault: 200,
  /** Buckets, or samples, of one answer where a resolution is asked for; the rest is read from `nextFrom`. */
  bucketsMax: 2_000,
  /** What is looked at when no beginning is given. */
  windowMsDefault: 60 * 60 * 1_000,
} as const;

/** `GET /workers/{id}/samples`, `GET /jobs/{id}/samples`. Every moment is by the database's clock, when the sample was received. */
export interface SamplesView {
  readonly workerId: WorkerId;
  /** What was looked at: `fromAt` is moved back to the beginning of its bucket, `toAt` does not belong to it. */
  readonly fromAt: string;
  readonly toAt: string;
  /** The coarsest samples that the answer was made of. */
  readonly resolution: SampleResolution;
  /** Width of a bucket; null where each sample stands for itself. */
  readonly bucketMs: number | null;
  /** The machine and its GPUs, or the one attempt that was asked for. */
  readonly series: readonly SampleSeriesView[];
  /** Where to go on when there was more than one answer holds; else null. */
  readonly nextFrom: string | null;
}

/** All lists are equally long: one entry for each bucket in which there was a sample. */
export interface SampleSeriesView {
  readonly subject: SampleSubject;
  /** Of a GPU, as in the inventory. */
  readonly gpuIndex: number | null;
  readonly attemptId: AttemptId | null;
  /** The beginning of each bucket. */
  readonly at: readonly string[];
  /** How many samples came in it. */
  readonly samples: readonly number[];
  /** By name of the measure (`SAMPLE_MEASURES`). */
  readonly measures: Readonly<Record<string, SampleMeasureView>>;
}

/** Unknown is null, never 0: where no sample of a bucket knew it, `counts` is 0 and the others are null. */
export interface SampleMeasureView {
  readonly counts: readonly number[];
  readonly averages: readonly (number | null)[];
  readonly lowest: readonly (number | null)[];
  readonly highest: readonly (number | null)[];
}
