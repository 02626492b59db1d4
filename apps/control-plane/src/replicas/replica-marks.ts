import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '@muster/runtime';
import { LOGGER, REPLICA_ID } from '../core.module.js';
import { Database } from '../database/database.js';
import { Fleet } from './fleet.js';
import {
  FLEET_SIZE, LEASES_EXTEND, MARK_ALIVE, MARK_REMOVE, MARKS_FORGET, MARKS_GAP, MARKS_LOCK,
} from './replica-marks.sql.js';

/** A gap up to this is a late timer; above, no replica could reach the database and no lease could be renewed. */
const GAP_MS_MAX = 5_000;

/**
 * The marks by which replicas know that any of them was alive. A mark that finds none for a while, be it that all were
 * down or that PostgreSQL was, gives every lease that time back before anything is swept.
 */
@Injectable()
export class ReplicaMarks {
  constructor(
    private readonly database: Database,
    private readonly fleet: Fleet,
    @Inject(REPLICA_ID) private readonly replicaId: string,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** Marks this replica alive, and looks how large the fleet is. */
  async mark(): Promise<void> {
    const extendedMs = await this.database.transaction(async (connection) => {
      await connection.execute(MARKS_LOCK);
      const [row] = await connection.query<{ gap_ms: number | null }>(MARKS_GAP);
      await connection.execute(MARK_ALIVE, [this.replicaId]);
      const gapMs = row?.gap_ms ?? 0;
      if (gapMs <= GAP_MS_MAX) return 0;
      await connection.execute(LEASES_EXTEND, [gapMs]);
      await connection.execute(MARKS_FORGET);
      return gapMs;
    });
    if (extendedMs > 0) this.log.warn({ extendedMs: Math.round(extendedMs) }, 'no replica was alive, leases extended');
    const [size] = await this.database.query<{ connected_count: number; other_replicas: number }>(FLEET_SIZE, [this.replicaId]);
    if (size) this.fleet.observe({ connectedCount: size.connected_count, otherReplicas: size.other_replicas });
  }

  /** Says that this replica is gone, at a planned stop; its last mark stays when it is the only one. */
  async remove(): Promise<void> {
    if (this.fleet.hasOtherReplicas) await this.database.execute(MARK_REMOVE, [this.replicaId]);
  }
}
