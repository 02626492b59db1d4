/** Which partitions a table of bytes or happenings is cut into, and which of them time has passed. No clock, no database. */
import { birthBound, TIME_CHARACTERS } from '../birth-bound.js';

/**
 * What tables are cut by. The kinds of ids: a log and a metric by the attempt that began it, an event by its job. Or the time
 * itself, in milliseconds since 1970: samples, which belong to nothing that ends.
 */
export type Cut = 'att' | 'job' | 'time';

export interface Partition {
  readonly name: string;
  /** The first id, or moment, that belongs to it. */
  readonly firstId: string;
  /** The first that does not. */
  readonly endId: string;
}

export interface PartitionedTable {
  readonly name: 'log_chunk' | 'metric_point' | 'event' | 'sample_raw' | 'sample_minute' | 'sample_hour';
  readonly cutBy: Cut;
  /** How long its rows are kept. */
  readonly retentionMs: number;
  /** The least that a partition spans; a day unless told. */
  readonly widthMsMin?: number;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
/** Rows outlive their retention by at most one partition, so partitions are a tenth of it; no more than fifteen are ever needed. */
const PARTITIONS_KEPT = 10;
/** Partitions that are there before they are needed. */
const PARTITIONS_AHEAD = 3;
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The span of one partition: a tenth of the retention, a day at least. */
export function widthMs({ retentionMs, widthMsMin = DAY_MS }: Pick<PartitionedTable, 'retentionMs' | 'widthMsMin'>): number {
  return Math.max(widthMsMin, Math.floor(retentionMs / PARTITIONS_KEPT));
}

function boundAt(cutBy: Cut, momentMs: number): string {
  return cutBy === 'time' ? String(Math.max(0, Math.floor(momentMs))) : birthBound(cutBy, momentMs);
}

/** The moment that a bound stands for; null for one that is not of ours. */
export function momentOfBound(cutBy: Cut, bound: string): number | null {
  if (cutBy === 'time') return /^\d{1,15}$/.test(bound) ? Number(bound) : null;
  const time = bound.slice(cutBy.length + 1);
  if (!bound.startsWith(`${cutBy}_`) || time.length !== TIME_CHARACTERS) return null;
  let momentMs = 0;
  for (const character of time) {
    const digit = DIGITS.indexOf(character);
    if (digit === -1) return null;
    momentMs = momentMs * 32 + digit;
  }
  return momentMs;
}

/**
 * Partitions that are missing between now and the time for which they are kept ready, oldest first. They begin where the
 * newest ends; with none, or after a long outage, one partition ago, because other replicas' clocks may be behind.
 */
export function partitionsToMake(table: PartitionedTable, existing: readonly Partition[], nowMs: number): Partition[] {
  const width = widthMs(table);
  const ends = existing.flatMap(({ endId }) => momentOfBound(table.cutBy, endId) ?? []);
  const missing: Partition[] = [];
  for (let fromMs = Math.max(nowMs - width, ...ends); fromMs < nowMs + PARTITIONS_AHEAD * width; fromMs += width) {
    const name = `${table.name}_${birthBound('att', fromMs).slice(-TIME_CHARACTERS).toLowerCase()}`;
    missing.push({ name, firstId: boundAt(table.cutBy, fromMs), endId: boundAt(table.cutBy, fromMs + width) });
  }
  return missing;
}

/** Whether the newest partition ends less than one span from now: soon rows will lie in the default partition. */
export function isRunningOut(table: PartitionedTable, existing: readonly Partition[], nowMs: number): boolean {
  const ends = existing.flatMap(({ endId }) => momentOfBound(table.cutBy, endId) ?? []);
  return Math.max(0, ...ends) < nowMs + widthMs(table);
}

/** Partitions in which everything was born longer ago than it is kept, oldest first. Whether it is still owed is another question. */
export function partitionsPast(table: PartitionedTable, existing: readonly Partition[], nowMs: number): Partition[] {
  const endOf = ({ endId }: Partition): number => momentOfBound(table.cutBy, endId) ?? Infinity;
  return existing.filter((partition) => endOf(partition) <= nowMs - table.retentionMs).sort((one, other) => endOf(one) - endOf(other));
}

/** Reads PostgreSQL's words for the bounds of a partition; null for the default one. */
export function parseBounds(words: string): Pick<Partition, 'firstId' | 'endId'> | null {
  const [, firstId, endId] = /^FOR VALUES FROM \('([^']*)'\) TO \('([^']*)'\)$/.exec(words) ?? [];
  return firstId === undefined || endId === undefined ? null : { firstId, endId };
}
