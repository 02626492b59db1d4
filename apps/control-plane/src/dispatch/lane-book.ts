import type { Requirements } from '@muster/domain';
import type { Connection } from '../database/connection-pool.js';
import { LANES_READ } from './dispatch.sql.js';

/** One submitter's jobs with the same needs: equal to matching, so the head speaks for all behind it. */
export interface Lane {
  readonly id: number;
  readonly owner: string;
  readonly requirements: Requirements;
}

interface LaneRow { id: number; owner: string; needs: Requirements }

/** Lanes kept in memory; beyond that the oldest are read again when needed. */
const KEPT_MAX = 20_000;

/** Remembers what lanes ask for: rows of `lane` never change. */
export class LaneBook {
  private readonly lanes = new Map<number, Lane>();

  async read(connection: Connection, ids: readonly number[]): Promise<ReadonlyMap<number, Lane>> {
    const unknown = ids.filter((id) => !this.lanes.has(id));
    if (unknown.length > 0) {
      for (const row of await connection.query<LaneRow>(LANES_READ, [unknown])) {
        this.lanes.set(row.id, { id: row.id, owner: row.owner, requirements: row.needs });
      }
    }
    const found = new Map(ids.flatMap((id) => {
      const lane = this.lanes.get(id);
      return lane ? [[id, lane] as const] : [];
    }));
    this.forgetOldest();
    return found;
  }

  private forgetOldest(): void {
    for (const id of this.lanes.keys()) {
      if (this.lanes.size <= KEPT_MAX) return;
      this.lanes.delete(id);
    }
  }
}
