import pg from 'pg';
import type { Logger } from '@muster/runtime';
import { toDatabaseError } from './database-errors.js';
import { GatheringSocket } from './gathering-socket.js';
import type { Statement } from './sql.js';

/** What a transaction can do: run statements. They run in the order of the calls, also when nobody waits in between. */
export interface Connection {
  /** All rows of the answer. `Row` is the caller's promise about the statement; `int8` comes as a number. */
  query<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
  /** How many rows were touched. */
  execute(statement: Statement, values?: readonly unknown[]): Promise<number>;
}

export interface PoolSettings {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  readonly size: number;
  /** Off only for samples and progress, which may be lost. */
  readonly synchronousCommit: boolean;
  /**
   * One of the grouped writers. Its statements are sent without waiting for the answers before, and its plans never read
   * whole tables: on tables that grow by thousands a second a plan made for an empty one would.
   */
  readonly isLane: boolean;
}

const INT8 = 20;
/** Measured with plans made on empty tables and 200,000 rows added since: 230 ms to lock one job with merge joins, 1 ms without. */
const INDEXES_ONLY = '-c enable_seqscan=off -c enable_mergejoin=off -c enable_hashjoin=off';
/** Statements and idle transactions that take longer are broken off, so that one stuck replica never holds locks for ever. */
const SERVER_LIMITS = '-c statement_timeout=15s -c idle_in_transaction_session_timeout=20s -c TimeZone=UTC';

/**
 * Connections that come back by themselves. A killed server is an error to whoever asks, never an uncaught one: `pg`
 * reports a broken idle connection as an event, and an event without a listener would end the process.
 */
export class ConnectionPool implements Connection {
  private readonly pool: pg.Pool;
  private readonly isLane: boolean;

  constructor(settings: PoolSettings, log: Logger) {
    const options = [
      SERVER_LIMITS,
      settings.synchronousCommit ? '-c synchronous_commit=on' : '-c synchronous_commit=off',
      ...(settings.isLane ? [INDEXES_ONLY] : []),
    ];
    const poolOptions: pg.PoolConfig & { pipeline: boolean } = {
      pipeline: settings.isLane,
      ...(settings.isLane ? { stream: () => new GatheringSocket() } : {}),
      connectionString: settings.url,
      application_name: `muster ${settings.name}`,
      max: settings.size,
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 0,
      // Longer than the server's own limit: only a connection that went silent runs into it.
      query_timeout: 20_000,
      keepAlive: true,
      options: options.join(' '),
      types: { getTypeParser: (oid: number, format?: 'text' | 'binary') => (oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) },
    };
    this.isLane = settings.isLane;
    this.pool = new pg.Pool(poolOptions);
    this.pool.on('error', (error) => log.warn({ pool: settings.name, reason: error.message }, 'database connection lost'));
    // While a connection is lent out the pool does not listen for it.
    this.pool.on('connect', (client) => client.on('error', () => undefined));
  }

  async query<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    return (await run(this.pool, statement, values)).rows as Row[];
  }

  async execute(statement: Statement, values: readonly unknown[] = []): Promise<number> {
    return (await run(this.pool, statement, values)).rowCount ?? 0;
  }

  /**
   * Runs `work` in one transaction (READ COMMITTED) and commits. Whatever it throws rolls everything back.
   *
   * @throws DatabaseUnavailable when the connection failed, also when that was during the commit: then nobody knows
   */
  async transaction<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const client = await this.pool.connect().catch((error: unknown) => {
      throw toDatabaseError(error);
    });
    let broken: Error | undefined;
    try {
      const begun = client.query('begin');
      // Told once, below; a begin that fails takes everything after it along.
      begun.catch(() => undefined);
      if (!this.isLane) await begun;
      const result = await work(connectionOf(client));
      await begun;
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch((failure: Error) => (broken = failure));
      throw toDatabaseError(error);
    } finally {
      client.release(broken);
    }
  }

  /** Waits for statements that run and closes every connection. */
  async end(): Promise<void> {
    await this.pool.end();
  }
}

type Queryable = pg.Pool | pg.PoolClient;

async function run(on: Queryable, statement: Statement, values: readonly unknown[]): Promise<pg.QueryResult> {
  try {
    return await on.query({ name: statement.name, text: statement.text, values: [...values] });
  } catch (error) {
    throw toDatabaseError(error);
  }
}

function connectionOf(client: pg.PoolClient): Connection {
  return {
    query: async <Row>(statement: Statement, values: readonly unknown[] = []) =>
      (await run(client, statement, values)).rows as Row[],
    execute: async (statement, values = []) => (await run(client, statement, values)).rowCount ?? 0,
  };
}
