import type { Logger } from '@muster/runtime';
import { ConnectionPool, type Transaction } from './connection-pool.js';
import { sql, type Statement } from './sql.js';

/** Writers that must never wait for one another: each has a connection of its own. */
export const LANES = ['submissions', 'transitions', 'dispatch', 'renewals', 'logs', 'metrics', 'samples'] as const;
export type LaneName = (typeof LANES)[number];

const PING = sql`select 1 as ok`;

/**
 * The door to PostgreSQL: `query` and `transaction` on the shared pool for everything people ask for, `lane` for the
 * grouped writers, `control` and `marks` for what the cluster needs to stay alive while people read. Every method rejects with `DatabaseUnavailable` while the server is away; nothing ends the process.
 */
export class Database {
  /** Who is connected, what time did to them, what is offered again: short statements that no reader may hold up. */
  readonly control: ConnectionPool;
  /** Says every second that this replica is alive; waits for nothing else. */
  readonly marks: ConnectionPool;
  private readonly shared: ConnectionPool;
  private readonly lanes: Record<LaneName, ConnectionPool>;

  constructor(readonly url: string, log: Logger) {
    const pool = (name: string, size: number, isLane: boolean): ConnectionPool =>
      new ConnectionPool({ url, name, size, synchronousCommit: name !== 'samples', isLane }, log);
    this.shared = pool('shared', 8, false);
    this.control = pool('control', 5, false);
    this.marks = pool('marks', 1, false);
    this.lanes = {
      submissions: pool('submissions', 1, true),
      transitions: pool('transitions', 1, true),
      dispatch: pool('dispatch', 1, true),
      renewals: pool('renewals', 1, true),
      logs: pool('logs', 1, true),
      metrics: pool('metrics', 1, true),
      samples: pool('samples', 1, true),
    };
  }

  query<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    return this.shared.query<Row>(statement, values);
  }

  execute(statement: Statement, values: readonly unknown[] = []): Promise<number> {
    return this.shared.execute(statement, values);
  }

  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.shared.transaction(work);
  }

  lane(name: LaneName): ConnectionPool {
    return this.lanes[name];
  }

  /** Rejects with `DatabaseUnavailable` when PostgreSQL does not answer; readiness asks this. */
  async ping(): Promise<void> {
    await this.shared.query(PING);
  }

  async end(): Promise<void> {
    await Promise.all([this.shared, this.control, this.marks, ...Object.values(this.lanes)].map((pool) => pool.end()));
  }
}
