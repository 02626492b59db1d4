import pg from 'pg';
import type { Logger } from '@muster/runtime';
import { errorCodeOf, isExhausted, toDatabaseError } from './database-errors.js';
import { GatheringSocket } from './gathering-socket.js';
import type { Statement } from './sql.js';

/** Runs statements, in the order of the calls, also when nobody waits in between. */
export interface Connection {
  /** All rows of the answer. `Row` is the caller's promise about the statement; `int8` comes as a number. */
  query<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
  /** How many rows were touched. */
  execute(statement: Statement, values?: readonly unknown[]): Promise<number>;
}

/** Statements of one transaction. One that fails undoes all of them. */
export interface Transaction extends Connection {
  /** Runs a statement whose answer nobody needs: when it fails the transaction does, whatever was decided meanwhile. */
  send(statement: Statement, values?: readonly unknown[]): void;
}

export interface PoolSettings {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  readonly size: number;
  /** Off only for samples and progress, which may be lost. */
  readonly synchronousCommit: boolean;
  /**
   * One of the grouped writers. Its statements are sent without waiting for the answers before. Each is planned once, not
   * for each batch anew, and no plan reads whole tables: on tables that grow by thousands a second a plan made for an empty
   * one would.
   */
  readonly isLane: boolean;
}

const INT8 = 20;
const IN_FAILED_TRANSACTION = '25P02';
/** A fleet that tries again every second must not fill the disk with words about it. */
const EXHAUSTED_AGAIN_MS = 30_000;
/** Measured with plans made on empty tables and 200,000 rows added since: 230 ms to lock one job with merge joins, 1 ms without. */
const INDEXES_ONLY = '-c enable_seqscan=off -c enable_mergejoin=off -c enable_hashjoin=off';
/** Left to itself PostgreSQL plans the locks of each batch anew, which took longer than carrying them out. */
const PLANNED_ONCE = '-c plan_cache_mode=force_generic_plan';
/** Statements and idle transactions that take longer are broken off, so that one stuck replica never holds locks for ever. */
const SERVER_LIMITS = '-c statement_timeout=15s -c idle_in_transaction_session_timeout=20s -c TimeZone=UTC';

/**
 * Connections that come back by themselves. A killed server is an error to whoever asks, never an uncaught one: `pg`
 * reports a broken idle connection as an event, and an event without a listener would end the process.
 */
export class ConnectionPool implements Connection {
  private readonly pool: pg.Pool;
  private readonly isLane: boolean;
  private toldExhaustedMs = -Infinity;

  constructor(
    private readonly settings: PoolSettings,
    private readonly log: Logger,
  ) {
    const options = [
      SERVER_LIMITS,
      settings.synchronousCommit ? '-c synchronous_commit=on' : '-c synchronous_commit=off',
      ...(settings.isLane ? [INDEXES_ONLY, PLANNED_ONCE] : []),
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
    return (await this.ask(statement, values)).rows as Row[];
  }

  async execute(statement: Statement, values: readonly unknown[] = []): Promise<number> {
    return (await this.ask(statement, values)).rowCount ?? 0;
  }

  /**
   * Runs `work` in one transaction (READ COMMITTED) and commits once it has resolved. The commit goes out behind the
   * statements that `work` sent and did not wait for. Whatever throws or fails rolls everything back and is thrown.
   *
   * @throws DatabaseUnavailable when the connection failed, also when that was during the commit: then nobody knows
   */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const client = await this.pool.connect().catch((error: unknown) => {
      throw toDatabaseError(error);
    });
    let isOver = false;
    let broken: Error | undefined;
    const transaction = new OpenTransaction(client, this.isLane);
    try {
      const begun = transaction.say('begin');
      if (!this.isLane) await begun;
      const result = await work(transaction);
      await transaction.say('commit');
      isOver = true;
      await transaction.throwFirstFailure();
      return result;
    } catch (error) {
      if (!isOver) await transaction.say('rollback').catch((failure: Error) => (broken = failure));
      // What was waited for says only that a statement before it failed.
      const isFollowing = errorCodeOf(error) === IN_FAILED_TRANSACTION;
      const reason = isFollowing ? await transaction.throwFirstFailure().then(() => error, (first: unknown) => first) : error;
      this.tell(reason);
      throw toDatabaseError(reason);
    } finally {
      client.release(broken);
    }
  }

  /** Waits for statements that run and closes every connection. */
  async end(): Promise<void> {
    await this.pool.end();
  }

  private async ask(statement: Statement, values: readonly unknown[]): Promise<pg.QueryResult> {
    try {
      return await run(this.pool, statement, values);
    } catch (error) {
      this.tell(error);
      throw error;
    }
  }

  /** Whoever asked tries again and says nothing: that there is no room is said here, where an operator reads it. */
  private tell(error: unknown): void {
    if (!isExhausted(error) || performance.now() - this.toldExhaustedMs < EXHAUSTED_AGAIN_MS) return;
    this.toldExhaustedMs = performance.now();
    this.log.error({ err: error, pool: this.settings.name }, 'PostgreSQL has no disk space or memory left, and takes nothing until it has');
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

class OpenTransaction implements Transaction {
  private readonly answers: Promise<unknown>[] = [];
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly client: pg.PoolClient,
    private readonly isPipelined: boolean,
  ) {}

  async query<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.inTurn(() => run(this.client, statement, values))).rows as Row[];
  }

  async execute(statement: Statement, values: readonly unknown[] = []): Promise<number> {
    return (await this.inTurn(() => run(this.client, statement, values))).rowCount ?? 0;
  }

  send(statement: Statement, values: readonly unknown[] = []): void {
    void this.inTurn(() => run(this.client, statement, values));
  }

  say(text: 'begin' | 'commit' | 'rollback'): Promise<unknown> {
    return this.inTurn(() => this.client.query(text));
  }

  /**
   * What fails first is the reason for all that follows; the commit behind it is answered like any other, and before our own
   * code has heard of a failure whose answer came in the same moment.
   */
  async throwFirstFailure(): Promise<void> {
    for (const answer of this.answers) await answer;
  }

  /** Where statements are not pipelined each waits here for those before, the rollback too: the driver is to keep no queue. */
  private inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const answer = this.isPipelined ? ask() : this.last.then(ask);
    this.last = answer.catch(() => undefined);
    this.answers.push(answer);
    return answer;
  }
}
