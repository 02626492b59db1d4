import { Injectable } from '@nestjs/common';
import type { Progress, WorkerId, WorkerSample } from '@muster/protocol';
import { GroupCommitLane } from '@muster/runtime';
import { Announcements } from '../announcements.js';
import type { Connection } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { isUnavailable } from '../database/database-errors.js';
import { storeEvents } from '../engine/store-slice.js';
import { toMeasured } from '../samples/measures.js';
import { faultEvents, type LookedAtRow } from './fault-events.js';
import { PROGRESS_JOBS_LOCK, PROGRESS_STORE, WORKER_SAMPLES_STORE } from './samples.sql.js';

interface Look {
  readonly kind: 'sample';
  readonly workerId: WorkerId;
  readonly sample: WorkerSample;
  readonly latencyMs: number | null;
}
type Item =
  | Look
  | { readonly kind: 'progress'; readonly workerId: WorkerId; readonly progress: Progress };

/** What may be lost and is replaced by the next one: looks at machines, and how far jobs say they are. Latest wins. */
@Injectable()
export class SampleIngest {
  private readonly lane = new GroupCommitLane<Item, undefined>({
    name: 'samples',
    maxBatch: 500,
    isItemFault: (error) => !isUnavailable(error),
    run: async (items) => {
      const changed = await this.database.lane('samples').transaction((connection) => store(connection, items));
      for (const workerId of changed) this.announcements.announce('worker:changed', { workerId });
      return items.map(() => undefined);
    },
  });

  constructor(
    private readonly database: Database,
    private readonly announcements: Announcements,
  ) {}

  /**
   * The newest look at a machine: what is shown of it, one more place in its series, and events for faults that came or went.
   *
   * @param latencyMs there and back to the worker, as this replica measured it; null where it did not
   */
  async sample(workerId: WorkerId, sample: WorkerSample, latencyMs: number | null = null): Promise<void> {
    await this.lane.submit({ kind: 'sample', workerId, sample, latencyMs });
  }

  async progress(workerId: WorkerId, progress: Progress): Promise<void> {
    await this.lane.submit({ kind: 'progress', workerId, progress });
  }

  close(): Promise<void> {
    return this.lane.close();
  }
}

/** Resolves with the workers whose faults changed. */
async function store(connection: Connection, items: readonly Item[]): Promise<readonly WorkerId[]> {
  const looks = new Map<WorkerId, Look>();
  const progress = new Map<string, Extract<Item, { kind: 'progress' }>>();
  for (const item of items) {
    if (item.kind === 'sample') looks.set(item.workerId, item);
    else progress.set(item.progress.attemptId, item);
  }
  const changed = looks.size > 0 ? await storeLooks(connection, looks) : [];
  if (progress.size > 0) await storeProgress(connection, [...progress.values()]);
  return changed;
}

async function storeLooks(connection: Connection, looks: ReadonlyMap<WorkerId, Look>): Promise<readonly WorkerId[]> {
  const told = [...looks.values()];
  const rows = told.flatMap(({ workerId, sample, latencyMs }) => toMeasured(sample, latencyMs).map((measured) => ({ workerId, ...measured })));
  const known = await connection.query<LookedAtRow>(WORKER_SAMPLES_STORE, [
    told.map(({ workerId }) => workerId),
    told.map(({ sample }) => JSON.stringify(sample)),
    told.map(({ latencyMs }) => latencyMs),
    rows.map(({ workerId }) => workerId),
    rows.map(({ subject }) => subject),
    rows.map(({ values }) => `{${values.map((value) => value ?? 'null').join(',')}}`),
  ]);
  const events = known.flatMap((row) => faultEvents(row, looks.get(row.id)?.sample.faults ?? []));
  if (events.length > 0) await storeEvents(connection, events, Date.now());
  return [...new Set(events.flatMap(({ workerId }) => workerId ?? []))];
}

async function storeProgress(connection: Connection, items: readonly Extract<Item, { kind: 'progress' }>[]): Promise<void> {
  const attemptIds = items.map(({ progress }) => progress.attemptId);
  const workerIds = items.map(({ workerId }) => workerId);
  const epochs = items.map(({ progress }) => progress.epoch);
  const jobs = await connection.query<{ id: string }>(PROGRESS_JOBS_LOCK, [attemptIds, epochs, workerIds]);
  if (jobs.length === 0) return;
  await connection.execute(PROGRESS_STORE, [
    attemptIds,
    workerIds,
    items.map(({ progress }) => progress.fraction),
    items.map(({ progress }) => progress.message),
    jobs.map(({ id }) => id),
  ]);
}
