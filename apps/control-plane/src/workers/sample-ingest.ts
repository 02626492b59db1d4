import { Injectable } from '@nestjs/common';
import type { Progress, WorkerId, WorkerSample } from '@muster/protocol';
import { GroupCommitLane } from '@muster/runtime';
import type { Connection } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { isUnavailable } from '../database/database-errors.js';
import { PROGRESS_JOBS_LOCK, PROGRESS_STORE, SAMPLE_WORKERS_LOCK, WORKER_SAMPLES_STORE } from './samples.sql.js';

type Item =
  | { readonly kind: 'sample'; readonly workerId: WorkerId; readonly sample: WorkerSample }
  | { readonly kind: 'progress'; readonly workerId: WorkerId; readonly progress: Progress };

/** What may be lost and is replaced by the next one: looks at machines, and how far jobs say they are. Latest wins. */
@Injectable()
export class SampleIngest {
  private readonly lane = new GroupCommitLane<Item, undefined>({
    name: 'samples',
    maxBatch: 500,
    isItemFault: (error) => !isUnavailable(error),
    run: async (items) => {
      await this.database.lane('samples').transaction((connection) => store(connection, items));
      return items.map(() => undefined);
    },
  });

  constructor(private readonly database: Database) {}

  async sample(workerId: WorkerId, sample: WorkerSample): Promise<void> {
    await this.lane.submit({ kind: 'sample', workerId, sample });
  }

  async progress(workerId: WorkerId, progress: Progress): Promise<void> {
    await this.lane.submit({ kind: 'progress', workerId, progress });
  }

  close(): Promise<void> {
    return this.lane.close();
  }
}

async function store(connection: Connection, items: readonly Item[]): Promise<void> {
  const samples = new Map<WorkerId, WorkerSample>();
  const progress = new Map<string, Extract<Item, { kind: 'progress' }>>();
  for (const item of items) {
    if (item.kind === 'sample') samples.set(item.workerId, item.sample);
    else progress.set(item.progress.attemptId, item);
  }
  if (samples.size > 0) {
    const ids = [...samples.keys()];
    await connection.execute(SAMPLE_WORKERS_LOCK, [ids]);
    await connection.execute(WORKER_SAMPLES_STORE, [ids, [...samples.values()].map((sample) => JSON.stringify(sample))]);
  }
  if (progress.size > 0) await storeProgress(connection, [...progress.values()]);
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
