import { isRecord, shown } from '@muster/dto';
import { ForeignRefusal } from '../../foreign-refusal.js';

const NUMBERS = [
  'epoch', 'train_loss', 'eval_loss', 'learning_rate', 'grad_norm', 'samples_per_second', 'tokens_per_second', 'gpu_memory_allocated_gb',
  'gpu_memory_reserved_gb', 'gpu_utilization_percent',
] as const;

const TIMESTAMP_MAX = 100;

/** One measurement as it was sent: a number, null, or absent. What is unknown was left out. */
export interface TrainingPoint extends Partial<Record<(typeof NUMBERS)[number], number | null>> {
  readonly step: number;
  readonly timestamp?: string;
}

/**
 * The points of a body. Read by hand, because there may be thousands of them in one.
 *
 * @throws ForeignRefusal 400 that names the field; then none of them is taken
 */
export function readPoints(body: unknown): TrainingPoint[] {
  const metrics = isRecord(body) ? body['metrics'] : undefined;
  if (!Array.isArray(metrics)) throw refusal('metrics', 'a list of points', metrics);
  return metrics.map((point: unknown, index) => readPoint(point, `metrics.${index}`));
}

function readPoint(point: unknown, at: string): TrainingPoint {
  if (!isRecord(point)) throw refusal(at, 'an object', point);
  const { step, timestamp } = point;
  if (!isNumber(step)) throw refusal(`${at}.step`, 'a number', step);
  if (timestamp !== undefined && (typeof timestamp !== 'string' || timestamp.length > TIMESTAMP_MAX)) throw refusal(`${at}.timestamp`, `text of at most ${TIMESTAMP_MAX} characters`, timestamp);
  const read: Record<string, number | string | null> = { step };
  for (const name of NUMBERS) {
    const value = point[name];
    if (value === undefined) continue;
    if (value !== null && !isNumber(value)) throw refusal(`${at}.${name}`, 'a number or null', value);
    read[name] = value;
  }
  return { ...read, step, ...(timestamp === undefined ? {} : { timestamp }) };
}

/** What our own interface shows of a point: numbers only; a step that is no whole number is one of them. */
export function toShownPoint(point: TrainingPoint): { readonly step: number | null; readonly at: string | null; readonly values: Record<string, number> } {
  const { step, timestamp = '', ...figures } = point;
  const isStep = Number.isSafeInteger(step);
  const atMs = Date.parse(/(?:Z|[+-]\d{2}:?\d{2})$/.test(timestamp) ? timestamp : `${timestamp}Z`);
  const values = Object.fromEntries(Object.entries(figures).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
  return {
    step: isStep ? step : null,
    at: Number.isNaN(atMs) || !isPlausible(atMs) ? null : new Date(atMs).toISOString(),
    values: isStep ? values : { ...values, step },
  };
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
/** Of this era: a clock that stands elsewhere tells nothing. */
const isPlausible = (ms: number): boolean => ms > Date.UTC(2000, 0) && ms < Date.UTC(2200, 0);

function refusal(field: string, expected: string, value: unknown): ForeignRefusal {
  return new ForeignRefusal(400, `${field}: Expected ${expected}, got ${shown(value)}.`);
}
