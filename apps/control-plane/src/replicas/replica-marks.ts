import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '@muster/runtime';
import { LOGGER, REPLICA_ID } from '../core.module.js';
import { ADVISORY_LOCK, ADVISORY_LOCKS } from '../database/advisory-locks.js';
import { Database } from '../database/database.js';
import { Fleet } from './fleet.js';
import { FLEET_SIZE, LEASES_EXTEND, MARK_ALIVE, MARK_REMOVE, MARKS_FORGET, MARKS_GAP } from './replica-marks.sql.js';

/** A gap up to this is a late timer; above, no replica could reach the database and no lease could be renewed. */
const GAP_MS_MAX = 5_000;

/**
 * The marks by which replicas know that any of them was alive. A mark that finds none for a while, be it that all were
 * down or that PostgreSQL was, gives every lease that time back before anything is swept.
 */
@Injectable()
export class ReplicaMarks {
  private markedMs = -Infinity;

  constructor(
    private readonly database: Database,
    private readonly fleet: Fleet,
    @Inject(REPLICA_ID) private readonly replicaId: string,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /**
   * True while the last mark is so young that no lease can be owed time. Ask before a sweep and again before acting on
   * what it found: in between PostgreSQL may have stood still.
   */
  get isFresh(): boolean {
    return performance.now() - this.markedMs <= GAP_MS_MAX;
  }

  /** Marks this replica alive, on a connection of its own: nothing slow elsewhere may look like a control plane that was down. */
  async mark(): Promise<void> {
    const askedMs = performance.now();
    const extendedMs = await this.database.marks.transaction(async (connection) => {
      await connection.execute(ADVISORY_LOCK, [ADVISORY_LOCKS.marks]);
      const [row] = await connection.query<{ gap_ms: number | null }>(MARKS_GAP);
      await connection.execute(MARK_ALIVE, [this.replicaId]);
      const gapMs = row?.gap_ms ?? 0;
      if (gapMs <= GAP_MS_MAX) return 0;
      await connection.execute(LEASES_EXTEND, [gapMs]);
      await connection.execute(MARKS_FORGET);
      return gapMs;
    });
    this.markedMs = askedMs;
    if (extendedMs > 0) this.log.warn({ extendedMs: Math.round(extendedMs) }, 'no replica was alive, leases extended');
  }

  /** Looks how large the fleet is. */
  async observeFleet(): Promise<void> {
    const [size] = await this.database.control.query<{ connected_count: number; other_replicas: number }>(FLEET_SIZE, [this.replicaId]);
    if (size) this.fleet.observe({ connectedCount: size.connected_count, otherReplicas: size.other_replicas });
  }

  /** Says that this replica is gone, at a planned stop. The last mark of all stays, also when all stop at the same moment. */
  async remove(): Promise<void> {
    await this.database.marks.transaction(async (connection) => {
      await connection.execute(ADVISORY_LOCK, [ADVISORY_LOCKS.marks]);
      await connection.execute(MARK_REMOVE, [this.replicaId]);
    });
  }
}
