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
 * than a batch is passed over in pieces. A line that is no JSON object with at least one finite number is passed over.
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

/** `{"step": 1, "loss": 0.3}`: `step` and `at` (RFC 3339) are what they are named, every other finite number is a value. */
export function toMetricPoint(line: string, readAt: string): MetricPoint | null {
  const record = parseObject(line);
  if (!record) return null;
  const values: Record<string, number> = {};
  let count = 0;
  for (const [name, value] of Object.entries(record)) {
    const isValue = name !== 'step' && name !== '' && typeof value === 'number' && Number.isFinite(value);
    if (!isValue || count === LIMITS.metricKeysPerPointMax || Buffer.byteLength(name) > LIMITS.nameBytesMax) continue;
    Object.defineProperty(values, name, { value, enumerable: true, configurable: true, writable: true });
    count += 1;
  }
  if (count === 0) return null;
  const step = typeof record['step'] === 'number' && Number.isFinite(record['step']) ? record['step'] : null;
  const atMs = typeof record['at'] === 'string' ? Date.parse(record['at']) : Number.NaN;
  return { step, at: Number.isNaN(atMs) ? readAt : new Date(atMs).toISOString(), values };
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
