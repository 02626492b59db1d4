import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import { requirementsOf } from '@muster/domain';
import type { JobId } from '@muster/protocol';
import { GroupCommitLane } from '@muster/runtime';
import type { Connection } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { isUnavailable } from '../database/database-errors.js';
import { Refusal } from '../http/refusal.js';
import { Dispatcher, type GrantAtOnce } from '../dispatch/dispatcher.js';
import { findEarlier, inProgress, remember, type Earlier, type IdempotencyClaim } from './idempotency.js';
import { JOBS_ADD } from './jobs.sql.js';
import { toNewRecord, type NewJob } from './new-job.js';

/** One request: all of its jobs are stored, or none. */
export interface Order {
  readonly jobs: readonly NewJob[];
  readonly claim: IdempotencyClaim | undefined;
}

/** Stored at that moment, with `isGranted` when none of it stands in line any more; or what an earlier request with the same key had made. */
export type Taken = { readonly createdAt: Date; readonly isGranted: boolean } | { readonly earlierJobIds: readonly JobId[] };

/** A submission may be a megabyte long. */
const ORDERS_MAX = 50;
const WAITING_MAX = 1_000;

/** Stores submissions: those that arrive while others are being committed share the next commit. */
@Injectable()
export class SubmissionLane implements OnModuleDestroy {
  private readonly lane = new GroupCommitLane<Order, Taken | Refusal>({
    name: 'submissions',
    maxBatch: ORDERS_MAX,
    maxQueued: WAITING_MAX,
    isItemFault: (error) => !isUnavailable(error),
    run: (orders) => this.commit(orders),
  });
  private readonly keysInUse = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly dispatcher: Dispatcher,
  ) {}

  /**
   * Resolves once it is committed.
   *
   * @throws Refusal `idempotencyInProgress` or `idempotencyConflict`; nothing of it is stored
   */
  async take(order: Order): Promise<Taken> {
    const { claim } = order;
    if (claim === undefined) return accepted(await this.lane.submit(order));
    const name = `${claim.owner}\n${claim.key}`;
    if (this.keysInUse.has(name)) throw inProgress();
    this.keysInUse.add(name);
    try {
      return accepted(await this.lane.submit(order));
    } finally {
      this.keysInUse.delete(name);
    }
  }

  onModuleDestroy(): Promise<void> {
    return this.lane.close();
  }

  private async commit(orders: readonly Order[]): Promise<(Taken | Refusal)[]> {
    const jobs = orders.flatMap((order) => order.jobs);
    const grant = this.dispatcher.atOnce(jobs.map(({ owner, laneId, spec }) => ({ owner, laneId, requirements: requirementsOf(spec) })));
    if (grant === undefined) return this.store(orders);
    try {
      return await this.storeAndClaim(orders, grant);
    } catch (error) {
      // Whatever kept it from being claimed keeps nobody from submitting: somebody else held the worker.
      if (isUnavailable(error)) throw error;
      return this.store(orders);
    }
  }

  private async store(orders: readonly Order[]): Promise<(Taken | Refusal)[]> {
    const connection = this.database.lane('submissions');
    if (orders.some(hasKey)) return connection.transaction((transaction) => storeWithKeys(transaction, orders));
    // One statement is a transaction of its own.
    return storeAll(connection, orders);
  }

  /** One commit less on the way to the process, for a job that comes while nobody stands in line. */
  private async storeAndClaim(orders: readonly Order[], grant: GrantAtOnce): Promise<(Taken | Refusal)[]> {
    const { taken, claimed } = await this.database.lane('submissions').transaction(async (transaction) => {
      const [stored, granted] = orders.some(hasKey)
        ? [await storeWithKeys(transaction, orders), await grant.claim(transaction)]
        : await Promise.all([storeAll(transaction, orders), grant.claim(transaction)]);
      return { taken: stored, claimed: granted };
    });
    const isGranted = grant.committed(claimed);
    return taken.map((one) => (one instanceof Refusal || 'earlierJobIds' in one ? one : { ...one, isGranted }));
  }
}

const hasKey = ({ claim }: Order): boolean => claim !== undefined;

async function storeAll(connection: Connection, orders: readonly Order[]): Promise<Taken[]> {
  const createdAt = await add(connection, orders);
  return orders.map(() => ({ createdAt, isGranted: false }));
}

async function storeWithKeys(connection: Connection, orders: readonly Order[]): Promise<(Taken | Refusal)[]> {
  const claims = orders.flatMap(({ claim }) => claim ?? []);
  const found = await findEarlier(connection, claims);
  const earlierOf = new Map<IdempotencyClaim | undefined, Earlier>(claims.map((claim, index) => [claim, found[index] ?? inProgress()]));
  const fresh = orders.filter(({ claim }) => (earlierOf.get(claim) ?? 'nothing') === 'nothing');
  const [createdAt] = await Promise.all([
    fresh.length === 0 ? new Date(0) : add(connection, fresh),
    remember(connection, fresh.flatMap(({ claim, jobs }) => (claim ? [{ claim, jobIds: jobs.map(({ id }) => id) }] : []))),
  ]);
  return orders.map(({ claim }) => {
    const earlier = earlierOf.get(claim) ?? 'nothing';
    if (earlier === 'nothing') return { createdAt, isGranted: false };
    return earlier instanceof Refusal ? earlier : { earlierJobIds: earlier.jobIds };
  });
}

async function add(connection: Connection, orders: readonly Order[]): Promise<Date> {
  const records = orders.flatMap(({ jobs }) => jobs.map(toNewRecord));
  const [row] = await connection.query<{ created_at: Date }>(JOBS_ADD, [JSON.stringify(records)]);
  if (!row) throw new Error('Jobs were added without an answer.');
  return row.created_at;
}

function accepted(taken: Taken | Refusal): Taken {
  if (taken instanceof Refusal) throw taken;
  return taken;
}
