import { OneOf } from '@muster/dto';
import { ForeignText, ForeignTexts } from '../../foreign-fields.js';
import { TRAINING_STATUSES, type ReportedTraining } from './training-status.js';

/** A traceback may be long. */
const ERROR_MAX = 65_536;
const LOGS_READ_MAX = 1_000;

export class TrainingStatusDto {
  @OneOf(TRAINING_STATUSES, { description: 'What the job does from now on.' })
  status: ReportedTraining;

  @ForeignText({ description: 'Why it failed; kept as it is.', lengthMax: ERROR_MAX, isOptional: true })
  error?: string;
}

export class TrainingLogsDto {
  @ForeignTexts({ description: 'One element is one line.' })
  logs: string[];
}

export interface LinesWanted {
  readonly limit: number;
  readonly offset: number;
}

/** Undefined where a number is none, or out of its range. */
export function readLinesWanted({ limit = '100', offset = '0' }: { readonly limit?: unknown; readonly offset?: unknown }): LinesWanted | undefined {
  const wanted = { limit: toWhole(limit), offset: toWhole(offset) };
  return wanted.limit >= 1 && wanted.limit <= LOGS_READ_MAX && wanted.offset >= 0 ? wanted : undefined;
}

function toWhole(value: unknown): number {
  return typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : NaN;
}
