/** A replica that sends whatever comes to its mind, in batches, as fast as it can. */
import type { ServerContext } from '@muster/domain';
import { ConnectionPool } from '../../src/database/connection-pool.js';
import { BACKOFFS_END } from '../../src/dispatch/dispatch.sql.js';
import { LaneBook } from '../../src/dispatch/lane-book.js';
import { takeTurn } from '../../src/dispatch/turn.js';
import { decideBatch } from '../../src/engine/decide-batch.js';
import { newId } from '../../src/new-id.js';
import { LEASES_EXTEND } from '../../src/replicas/replica-marks.sql.js';
import { log } from '../control-plane-harness.js';
import { Chance } from './chance.js';
import { COMMAND_TYPES, probe } from './probes.js';
import { REPLICA, readFacts } from './stored-facts.js';

const LONGEST_BATCH = 8;

export class Replica {
  /** Commands that were committed. */
  decided = 0;
  private readonly pool: ConnectionPool;
  private readonly chance: Chance;

  constructor(url: string, index: number) {
    this.pool = new ConnectionPool({ url, name: 'meddler', size: 1, synchronousCommit: true, isLane: true }, log);
    this.chance = new Chance(index + 77);
  }

  /** Rejects with the first error of PostgreSQL or of a guard. */
  async run(batches: number): Promise<void> {
    const book = new LaneBook();
    for (let done = 0; done < batches; done += 1) {
      // As old as what a sender knows: the others go on meanwhile.
      const rows = await readFacts(this.pool);
      const commands = Array.from({ length: this.chance.whole(1, LONGEST_BATCH) }, () => probe(this.chance.pick(COMMAND_TYPES), rows, this.chance));
      await this.pool.transaction((connection) => decideBatch(connection, commands, (_command, nowMs) => this.contextAt(nowMs)));
      this.decided += commands.length;
      if (this.chance.isTrue(0.2)) await this.pool.execute(BACKOFFS_END);
      if (this.chance.isTrue(0.1)) await this.pool.execute(LEASES_EXTEND, [1_000]);
      if (!this.chance.isTrue(0.5)) continue;
      const request = { workerIds: [...rows.workers.keys()], replicaId: REPLICA, context: this.contextAt(0) };
      await this.pool.transaction((connection) => takeTurn(connection, book, request));
    }
  }

  end(): Promise<void> {
    return this.pool.end();
  }

  private contextAt(nowMs: number): ServerContext {
    const newAttemptIds = Array.from({ length: 10 }, () => newId('att'));
    return { nowMs, workerTimeoutMs: 6_000, beatIntervalMs: 2_000, offerTtlMs: 15_000, newAttemptIds, jitter: this.chance.next() };
  }
}
