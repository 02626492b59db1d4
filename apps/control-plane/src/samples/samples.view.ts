import { SAMPLE_MEASURES } from '@muster/protocol';
import type { SampleMeasureView, SampleSeriesView, SampleSubject } from '@muster/protocol';
import { toSubject } from './measures.js';

/** One bucket of one series: the lists are in the order of the measures, and shorter where those came later. */
export interface BucketRow {
  readonly subject: string;
  readonly at_ms: number;
  readonly samples: number;
  readonly counts: readonly number[];
  readonly means: readonly (number | null)[];
  readonly lows: readonly (number | null)[];
  readonly highs: readonly (number | null)[];
}

const ORDER: readonly SampleSubject[] = ['machine', 'gpu', 'attempt'];

/** @param rows of each series in the order of time */
export function toSeries(rows: readonly BucketRow[]): SampleSeriesView[] {
  const bySubject = new Map<string, BucketRow[]>();
  for (const row of rows) {
    const buckets = bySubject.get(row.subject);
    if (buckets) buckets.push(row);
    else bySubject.set(row.subject, [row]);
  }
  return [...bySubject].map(([subject, buckets]) => toOneSeries(subject, buckets)).sort(byPlace);
}

function toOneSeries(subject: string, rows: readonly BucketRow[]): SampleSeriesView {
  const { kind, gpuIndex, attemptId } = toSubject(subject);
  return {
    subject: kind,
    gpuIndex,
    attemptId,
    at: rows.map((row) => new Date(row.at_ms).toISOString()),
    samples: rows.map((row) => row.samples),
    measures: Object.fromEntries(SAMPLE_MEASURES[kind].map((name, place) => [name, toMeasure(rows, place)])),
  };
}

function toMeasure(rows: readonly BucketRow[], place: number): SampleMeasureView {
  return {
    counts: rows.map(({ counts }) => counts[place] ?? 0),
    averages: rows.map(({ means }) => toShort(means[place])),
    lowest: rows.map(({ lows }) => toShort(lows[place])),
    highest: rows.map(({ highs }) => toShort(highs[place])),
  };
}

/** Three digits behind the point are more than anything here is measured to. */
function toShort(value: number | null | undefined): number | null {
  return value === null || value === undefined ? null : Math.round(value * 1_000) / 1_000;
}

function byPlace(left: SampleSeriesView, right: SampleSeriesView): number {
  return ORDER.indexOf(left.subject) - ORDER.indexOf(right.subject) || (left.gpuIndex ?? 0) - (right.gpuIndex ?? 0);
}
