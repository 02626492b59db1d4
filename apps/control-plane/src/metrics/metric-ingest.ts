import { Inject, Injectable } from '@nestjs/common';
import { onLogChunk } from '@muster/domain';
import type { AttemptId, MetricsAppend, WorkerId } from '@muster/protocol';
import { GroupCommitLane } from '@muster/runtime';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import type { Connection } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { GuardFailed, isUnavailable } from '../database/database-errors.js';
import {
  METRIC_OWNERS, METRIC_POINTS_ADD, METRIC_STREAMS_ADD, METRIC_STREAMS_LOCK, METRIC_STREAMS_MOVE,
} from './metric-ingest.sql.js';

interface Item { readonly workerId: WorkerId; readonly message: MetricsAppend }
interface OwnerRow { id: AttemptId; worker_id: WorkerId; log_id: AttemptId; is_past_retention: boolean }
interface Head { readonly logId: AttemptId; readonly from: number; length: number }
/** Where the sender goes on; for an attempt that is not the sender's, where it stopped: it then has nothing left to send. */
export interface MetricAck { readonly storedLength: number }

/** Stores points of jobs by the same rule as log bytes: once each, if and only if they begin where the last ones ended. */
@Injectable()
export class MetricIngest {
  private readonly lane = new GroupCommitLane<Item, MetricAck>({
    name: 'metrics',
    maxBatch: 64,
    maxQueued: 2_000,
    isItemFault: (error) => !isUnavailable(error),
    run: (items) => this.database.lane('metrics').transaction((connection) => this.commit(connection, items)),
  });

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  append(workerId: WorkerId, message: MetricsAppend): Promise<MetricAck> {
    return this.lane.submit({ workerId, message });
  }

  close(): Promise<void> {
    return this.lane.close();
  }

  private async commit(connection: Connection, items: readonly Item[]): Promise<MetricAck[]> {
    const ids = [...new Set(items.map((item) => item.message.attemptId))];
    const owners = new Map(
      (await connection.query<OwnerRow>(METRIC_OWNERS, [ids, this.config.logRetentionMs])).map((row) => [row.id, row]),
    );
    const logIdOf = ({ workerId, message }: Item): AttemptId | undefined => {
      const owner = owners.get(message.attemptId);
      return owner?.worker_id === workerId && !owner.is_past_retention ? owner.log_id : undefined;
    };
    const heads = await lockHeads(connection, [...new Set(items.flatMap((item) => logIdOf(item) ?? []))]);
    const taken: { readonly head: Head; readonly message: MetricsAppend }[] = [];
    const answers = items.map((item) => {
      const { message } = item;
      const head = heads.get(logIdOf(item) ?? '');
      if (!head) return { storedLength: message.offset + message.rawLength };
      const decision = onLogChunk(head.length, message);
      if (decision.store) taken.push({ head, message });
      head.length = decision.storedLength;
      return { storedLength: decision.storedLength };
    });
    await store(connection, taken);
    return answers;
  }
}

async function lockHeads(connection: Connection, logIds: readonly AttemptId[]): Promise<Map<string, Head>> {
  if (logIds.length === 0) return new Map();
  await connection.execute(METRIC_STREAMS_ADD, [logIds]);
  const rows = await connection.query<{ log_id: AttemptId; stored_length: number }>(METRIC_STREAMS_LOCK, [logIds]);
  return new Map(rows.map((row) => [row.log_id, { logId: row.log_id, from: row.stored_length, length: row.stored_length }]));
}

async function store(
  connection: Connection,
  taken: readonly { readonly head: Head; readonly message: MetricsAppend }[],
): Promise<void> {
  if (taken.length === 0) return;
  const points = taken.flatMap(({ head, message }) => message.points.map((point) => ({ logId: head.logId, ...point })));
  await connection.execute(METRIC_POINTS_ADD, [
    points.map(({ logId }) => logId),
    points.map(({ step }) => step),
    points.map(({ at }) => at),
    points.map(({ values }) => JSON.stringify(values)),
  ]);
  const heads = [...new Set(taken.map(({ head }) => head))];
  const movedCount = await connection.execute(METRIC_STREAMS_MOVE, [
    heads.map(({ logId }) => logId),
    heads.map(({ from }) => from),
    heads.map(({ length }) => length),
  ]);
  if (movedCount !== heads.length) throw new GuardFailed('metric_stream', heads.length, movedCount);
}
