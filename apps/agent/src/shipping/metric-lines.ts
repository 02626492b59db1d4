import { LIMITS } from '@muster/protocol';
import type { MetricPoint } from '@muster/protocol';

/** What one batch may hold; keeps a message well below the socket's limit. */
export const METRIC_BATCH_BYTES_MAX = 64 * 1024;
export const METRIC_BATCH_POINTS_MAX = 500;

export interface MetricBatch {
  readonly points: readonly MetricPoint[];
  /** Bytes of the file this batch stands for, lines that are no points included. */
  readonly rawLength: number;
}

/**
 * Cuts the next batch out of bytes of a metrics file. Only whole lines count, unless the file is final; a line longer
 * than a batch is passed over in pieces. A line that is no JSON object with at least one number is passed over.
 */
export function nextMetricBatch(bytes: Buffer, isFinal: boolean, readAt: string): MetricBatch {
  const points: MetricPoint[] = [];
  let start = 0;
  while (start < bytes.length && points.length < METRIC_BATCH_POINTS_MAX) {
    const newline = bytes.indexOf(0x0a, start);
    if (newline < 0 && !isFinal && bytes.length < METRIC_BATCH_BYTES_MAX) break;
    // Without a line end in a whole batch the line is too long; with something before it, it may fit the next batch.
    if (newline < 0 && !isFinal && start > 0) break;
    const end = newline < 0 ? bytes.length : newline;
    const point = toMetricPoint(bytes.toString('utf8', start, end), readAt);
    if (point) points.push(point);
    start = newline < 0 ? bytes.length : newline + 1;
  }
  return { points, rawLength: start };
}

/**
 * `{"step": 1, "loss": 0.3}`: `step` (a whole number) and `at` (RFC 3339) are what they are named, every other number is a
 * value. A loss of NaN is news: it is read as Python and others write it, though JSON has no word for it. What nobody could
 * store is passed over: a name that is no text, a time outside the years 1 to 9999.
 */
export function toMetricPoint(line: string, readAt: string): MetricPoint | null {
  const record = parseObject(line);
  if (!record) return null;
  const values: Record<string, number> = {};
  let count = 0;
  for (const [name, found] of Object.entries(record)) {
    const value = name === 'step' || !isName(name) ? null : toValue(found);
    if (value === null || count === LIMITS.metricKeysPerPointMax) continue;
    Object.defineProperty(values, name, { value, enumerable: true, configurable: true, writable: true });
    count += 1;
  }
  if (count === 0) return null;
  const step = Number.isSafeInteger(record['step']) ? Number(record['step']) : null;
  return { step, at: toMoment(record['at']) ?? readAt, values };
}

/** With the `u` flag only halves without their other half match. */
const NO_TEXT = /\0|\p{Surrogate}/u;

function isName(name: string): boolean {
  return name !== '' && Buffer.byteLength(name) <= LIMITS.nameBytesMax && !NO_TEXT.test(name);
}

function toMoment(found: unknown): string | null {
  const atMs = typeof found === 'string' ? Date.parse(found) : Number.NaN;
  if (Number.isNaN(atMs)) return null;
  const at = new Date(atMs);
  const year = at.getUTCFullYear();
  return year >= 1 && year <= 9_999 ? at.toISOString() : null;
}

const NOT_FINITE = ['NaN', 'Infinity', '-Infinity'];
/** A whole text, to be left alone, or a bare word of those. */
const TEXT_OR_NOT_FINITE = /"(?:[^"\\]|\\.)*"|NaN|-?Infinity/g;

/** What is not finite travels as its name, because JSON would make it null. */
function toValue(found: unknown): number | null {
  if (typeof found === 'number') return Number.isFinite(found) ? found : (String(found) as string & number);
  return typeof found === 'string' && NOT_FINITE.includes(found) ? (found as string & number) : null;
}

function parseObject(line: string): Record<string, unknown> | null {
  for (const text of [
    line,
    line.replace(TEXT_OR_NOT_FINITE, (found) => (found.startsWith('"') ? found : `"${found}"`)),
  ]) {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
      return null;
    } catch {
      // Perhaps it only holds a number that JSON does not know.
    }
  }
  return null;
}
