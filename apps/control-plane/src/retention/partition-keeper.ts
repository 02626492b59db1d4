import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '@muster/runtime';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG, LOGGER } from '../core.module.js';
import { ADVISORY_LOCKS } from '../database/advisory-locks.js';
import type { Connection } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { errorCodeOf } from '../database/database-errors.js';
import { keptMs } from '../samples/resolution.js';
import { LogDebts } from './log-debts.js';
import { isRunningOut, parseBounds, partitionsPast, partitionsToMake, type Partition, type PartitionedTable } from './partition-plan.js';
import {
  ATTEMPTS_BORN, HOURS_TO_MAKE, JOBS_BORN, MINUTES_TO_MAKE, NOW_MS, PARTITION_ADD, PARTITION_DETACH, PARTITION_DISCARD, PARTITIONS_OF, RETENTION_LOCK,
} from './retention.sql.js';

interface PartitionRow {
  readonly table: string;
  readonly name: string;
  /** Null for what was taken out of its table. */
  readonly bounds: string | null;
}
interface Partitions {
  readonly attached: readonly Partition[];
  readonly detached: readonly string[];
}

/** What became of a step: another replica may be at it, or somebody read or wrote the table for longer than others may wait behind us. */
type Step = 'done' | 'elsewhere' | 'heldUp';

/** What asks whether rows of a partition, from $1 to $2, are still needed. */
const OWED = { metric_point: ATTEMPTS_BORN, event: JOBS_BORN, sample_raw: MINUTES_TO_MAKE, sample_minute: HOURS_TO_MAKE } as const;
const HOUR_MS = 60 * 60 * 1_000;
const LOCK_NOT_AVAILABLE = '55P03';
const CHECK_VIOLATION = '23514';

/**
 * Keeps partitions of tables ready ahead of time and drops those in which nothing is owed any more. Every step is a transaction
 * of its own that one replica at a time takes: whoever is killed in it leaves nothing half done, and the next one goes on.
 */
@Injectable()
export class PartitionKeeper {
  private readonly tables: readonly PartitionedTable[];

  constructor(
    private readonly database: Database,
    private readonly logDebts: LogDebts,
    @Inject(CONFIG) config: ControlPlaneConfig,
    @Inject(LOGGER) private readonly log: Logger,
  ) {
    const samples = keptMs(config.sampleRetentionMs);
    this.tables = [
      { name: 'log_chunk', cutBy: 'att', retentionMs: config.logRetentionMs },
      { name: 'metric_point', cutBy: 'att', retentionMs: config.jobRetentionMs },
      { name: 'event', cutBy: 'job', retentionMs: config.jobRetentionMs },
      { name: 'sample_raw', cutBy: 'time', retentionMs: samples.raw, widthMsMin: HOUR_MS },
      { name: 'sample_minute', cutBy: 'time', retentionMs: samples.minute },
      { name: 'sample_hour', cutBy: 'time', retentionMs: samples.hour },
    ];
  }

  /** Makes the partitions that will be needed. Until they are there, rows lie in the default partition. */
  async prepare(): Promise<void> {
    const nowMs = await this.nowMs();
    const rows = await this.rows(this.tables, this.database);
    for (const table of this.tables) {
      const { attached } = partitionsAmong(rows, table);
      if (partitionsToMake(table, attached, nowMs).length === 0) continue;
      if ((await this.prepareTable(table, nowMs)) !== 'heldUp' || !isRunningOut(table, attached, nowMs)) continue;
      this.log.warn({ table: table.name }, 'no new partition could be made, because somebody has been at the table for long');
    }
  }

  /** Drops every partition whose time is over and in which nothing is owed. */
  async dropPast(): Promise<void> {
    const nowMs = await this.nowMs();
    const rows = await this.rows(this.tables, this.database);
    for (const table of this.tables) {
      const { attached, detached } = partitionsAmong(rows, table);
      for (const name of detached) await this.discard(table, name);
      for (const partition of partitionsPast(table, attached, nowMs)) {
        if (await this.isOwed(table, partition)) continue;
        const step = await this.locked((connection) => connection.execute(PARTITION_DETACH, [table.name, partition.name]));
        if (step === 'done') await this.discard(table, partition.name);
      }
    }
  }

  /** All partitions of a table in one transaction; without those in whose place rows lie already, which stay in the default partition. */
  private async prepareTable(table: PartitionedTable, nowMs: number): Promise<Step> {
    const occupied = new Set<string>();
    for (let tried: string | undefined; ; tried = undefined) {
      try {
        return await this.locked(async (connection) => {
          // Read under the lock: another replica may just have made them.
          const { attached } = partitionsAmong(await this.rows([table], connection), table);
          for (const { name, firstId, endId } of partitionsToMake(table, attached, nowMs)) {
            tried = name;
            if (!occupied.has(name)) await connection.execute(PARTITION_ADD, [table.name, name, firstId, endId]);
          }
        });
      } catch (error) {
        if (errorCodeOf(error) !== CHECK_VIOLATION || tried === undefined || occupied.has(tried)) throw error;
        occupied.add(tried);
        this.log.warn({ table: table.name, partition: tried }, 'rows of this partition lie in the default one and stay there');
      }
    }
  }

  private async isOwed(table: PartitionedTable, partition: Partition): Promise<boolean> {
    if (table.name === 'log_chunk') return this.logDebts.isOwed(partition);
    if (table.name === 'sample_hour') return false;
    const [row] = await this.database.query<{ is_owed: boolean }>(OWED[table.name], [partition.firstId, partition.endId]);
    return row?.is_owed !== false;
  }

  private async discard(table: PartitionedTable, name: string): Promise<void> {
    const step = await this.locked((connection) => connection.execute(PARTITION_DISCARD, [name]));
    if (step === 'done') this.log.info({ table: table.name, partition: name }, 'partition dropped');
  }

  /** One step by one replica. What could not be done now the next round makes good. */
  private async locked(work: (connection: Connection) => Promise<unknown>): Promise<Step> {
    try {
      return await this.database.transaction(async (connection) => {
        const [lock] = await connection.query<{ is_mine: boolean }>(RETENTION_LOCK, [ADVISORY_LOCKS.retention]);
        if (lock?.is_mine !== true) return 'elsewhere';
        await work(connection);
        return 'done';
      });
    } catch (error) {
      if (errorCodeOf(error) === LOCK_NOT_AVAILABLE) return 'heldUp';
      throw error;
    }
  }

  private rows(tables: readonly PartitionedTable[], connection: Connection): Promise<PartitionRow[]> {
    return connection.query<PartitionRow>(PARTITIONS_OF, [tables.map(({ name }) => name)]);
  }

  private async nowMs(): Promise<number> {
    const [row] = await this.database.query<{ now_ms: number }>(NOW_MS);
    return row?.now_ms ?? Date.now();
  }
}

function partitionsAmong(rows: readonly PartitionRow[], table: PartitionedTable): Partitions {
  const own = rows.filter((row) => row.table === table.name);
  const attached = own.flatMap(({ name, bounds }) => {
    const parsed = bounds === null ? null : parseBounds(bounds);
    return parsed === null ? [] : [{ name, ...parsed }];
  });
  return { attached, detached: own.flatMap(({ name, bounds }) => (bounds === null ? [name] : [])) };
}
