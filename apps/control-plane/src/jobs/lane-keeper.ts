import { Injectable } from '@nestjs/common';
import type { Requirements } from '@muster/domain';
import type { Connection } from '../database/connection-pool.js';
import { digestOfJson } from './canonical.js';
import { LANES_ADD, LANES_FIND } from './jobs.sql.js';

interface LaneRow {
  readonly id: number;
  readonly needs_hash: string;
}

const KNOWN_MAX = 20_000;

/** Finds the lane of each job, making those that do not exist yet. A lane is never changed and never removed. */
@Injectable()
export class LaneKeeper {
  /** Lanes that were committed when they were read, so that they are there whatever becomes of the transaction. */
  private readonly known = new Map<string, number>();

  /** The ids in the order of the requirements. */
  async idsFor(connection: Connection, owner: string, requirements: readonly Requirements[]): Promise<number[]> {
    const hashes = requirements.map(digestOfJson);
    const wanted = new Map(hashes.map((hash, index) => [hash, requirements[index]]));
    const found = await this.committed(connection, owner, [...wanted.keys()]);
    const missing = [...wanted].filter(([hash]) => !found.has(hash));
    if (missing.length > 0) {
      const rows = missing.map(([needs_hash, needs]) => ({ needs_hash, needs }));
      await connection.execute(LANES_ADD, [owner, JSON.stringify(rows)]);
      for (const [hash, id] of await this.find(connection, owner, missing.map(([hash]) => hash))) found.set(hash, id);
    }
    return hashes.map((hash) => {
      const id = found.get(hash);
      if (id === undefined) throw new Error('A lane that was just made is not there.');
      return id;
    });
  }

  private async committed(connection: Connection, owner: string, hashes: readonly string[]): Promise<Map<string, number>> {
    const nameOf = (hash: string): string => `${hash} ${owner}`;
    if (this.known.size > KNOWN_MAX) this.known.clear();
    const unknown = hashes.filter((hash) => !this.known.has(nameOf(hash)));
    if (unknown.length > 0) {
      for (const [hash, id] of await this.find(connection, owner, unknown)) this.known.set(nameOf(hash), id);
    }
    return new Map(
      hashes.flatMap((hash) => {
        const id = this.known.get(nameOf(hash));
        return id === undefined ? [] : [[hash, id] as const];
      }),
    );
  }

  private async find(connection: Connection, owner: string, hashes: readonly string[]): Promise<Map<string, number>> {
    const rows = await connection.query<LaneRow>(LANES_FIND, [owner, hashes]);
    return new Map(rows.map((row) => [row.needs_hash, row.id]));
  }
}
