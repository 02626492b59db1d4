/** Which pieces a table of bytes or happenings is cut into, and which of them time has passed. No clock, no database. */
import { birthBound, TIME_CHARACTERS } from '../birth-bound.js';

/** The kinds of ids by which tables are cut: a log's and a metric's by the attempt that began it, an event's by its job. */
export type BirthPrefix = 'att' | 'job';

export interface Partition {
  readonly name: string;
  /** The first id that belongs to it. */
  readonly firstId: string;
  /** The first id that does not. */
  readonly endId: string;
}

export interface PartitionedTable {
  readonly name: 'log_chunk' | 'metric_point' | 'event';
  readonly prefix: BirthPrefix;
  /** How long its rows are kept. */
  readonly retentionMs: number;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Rows outlive their retention by at most one piece, so pieces are a tenth of it; no more than fifteen are ever needed. */
const PIECES = 10;
/** Pieces that are there before they are needed. */
const PIECES_AHEAD = 3;
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The span of one piece: a tenth of the retention, a day at least. */
export function widthMs(retentionMs: number): number {
  return Math.max(DAY_MS, Math.floor(retentionMs / PIECES));
}

/** The moment that a bound stands for; null for one that is not of ours. */
export function momentOfBound(prefix: BirthPrefix, bound: string): number | null {
  const time = bound.slice(prefix.length + 1);
  if (!bound.startsWith(`${prefix}_`) || time.length !== TIME_CHARACTERS) return null;
  let momentMs = 0;
  for (const character of time) {
    const digit = DIGITS.indexOf(character);
    if (digit === -1) return null;
    momentMs = momentMs * 32 + digit;
  }
  return momentMs;
}

/**
 * Pieces that are missing between now and the time for which they are kept ready, oldest first. They begin where the
 * newest ends; with none, or after a long outage, one piece ago, because other replicas' clocks may be behind.
 */
export function partitionsToMake(table: PartitionedTable, existing: readonly Partition[], nowMs: number): Partition[] {
  const width = widthMs(table.retentionMs);
  const ends = existing.flatMap(({ endId }) => momentOfBound(table.prefix, endId) ?? []);
  const missing: Partition[] = [];
  for (let fromMs = Math.max(nowMs - width, ...ends); fromMs < nowMs + PIECES_AHEAD * width; fromMs += width) {
    const firstId = birthBound(table.prefix, fromMs);
    const name = `${table.name}_${firstId.slice(table.prefix.length + 1).toLowerCase()}`;
    missing.push({ name, firstId, endId: birthBound(table.prefix, fromMs + width) });
  }
  return missing;
}

/** Whether the newest piece ends less than one span from now: soon rows will lie in the default piece. */
export function isRunningOut(table: PartitionedTable, existing: readonly Partition[], nowMs: number): boolean {
  const ends = existing.flatMap(({ endId }) => momentOfBound(table.prefix, endId) ?? []);
  return Math.max(0, ...ends) < nowMs + widthMs(table.retentionMs);
}

/** Pieces in which everything was born longer ago than it is kept, oldest first. Whether it is still owed is another question. */
export function partitionsPast(table: PartitionedTable, existing: readonly Partition[], nowMs: number): Partition[] {
  const bound = birthBound(table.prefix, nowMs - table.retentionMs);
  return existing.filter(({ endId }) => endId <= bound).sort((one, other) => (one.endId < other.endId ? -1 : 1));
}

/** Reads PostgreSQL's words for the bounds of a partition; null for the default one. */
export function parseBounds(words: string): Pick<Partition, 'firstId' | 'endId'> | null {
  const [, firstId, endId] = /^FOR VALUES FROM \('([^']*)'\) TO \('([^']*)'\)$/.exec(words) ?? [];
  return firstId === undefined || endId === undefined ? null : { firstId, endId };
}
