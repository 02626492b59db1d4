import { Inject, Injectable } from '@nestjs/common';
import { onLogChunk } from '@muster/domain';
import type { AttemptId, MetricsAppend, WorkerId } from '@muster/protocol';
import { GroupCommitLane } from '@muster/runtime';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import type { Connection } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { GuardFailed, isUnavailable } from '../database/database-errors.js';
import { StreamOwners } from '../logs/stream-owners.js';
import { withStreams } from '../logs/with-streams.js';
import { METRIC_POINTS_ADD, METRIC_STREAMS_ADD, METRIC_STREAMS_LOCK, METRIC_STREAMS_MOVE } from './metric-ingest.sql.js';

interface Item { readonly workerId: WorkerId; readonly message: MetricsAppend }
interface Head { readonly logId: AttemptId; readonly from: number; length: number }
interface Taken { readonly head: Head; readonly message: MetricsAppend }
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
    run: (items) => this.commit(items),
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

  private async commit(items: readonly Item[]): Promise<MetricAck[]> {
    const lane = this.database.lane('metrics');
    const owners = await StreamOwners.of(lane, items.map(({ message }) => message.attemptId), this.config.logRetentionMs);
    const logIdOf = ({ workerId, message }: Item): AttemptId | undefined => owners.logIdFor(workerId, message.attemptId);
    const logIds = [...new Set(items.flatMap((item) => logIdOf(item) ?? []))];
    return withStreams(lane, logIds.length, {
      lock: (connection) => lockHeads(connection, logIds),
      make: (connection) => connection.execute(METRIC_STREAMS_ADD, [logIds]),
      store: async (connection, heads) => {
        const taken: Taken[] = [];
        const answers = items.map((item) => place(item.message, heads.get(logIdOf(item) ?? ''), taken));
        await store(connection, taken);
        return answers;
      },
    });
  }
}

/** Decides about one message; what is to be stored is added to `taken`. */
function place(message: MetricsAppend, head: Head | undefined, taken: Taken[]): MetricAck {
  if (!head) return { storedLength: message.offset + message.rawLength };
  const decision = onLogChunk(head.length, message);
  if (decision.store) taken.push({ head, message });
  head.length = decision.storedLength;
  return { storedLength: decision.storedLength };
}

async function lockHeads(connection: Connection, logIds: readonly AttemptId[]): Promise<Map<string, Head>> {
  if (logIds.length === 0) return new Map();
  const rows = await connection.query<{ log_id: AttemptId; stored_length: number }>(METRIC_STREAMS_LOCK, [logIds]);
  return new Map(rows.map((row) => [row.log_id, { logId: row.log_id, from: row.stored_length, length: row.stored_length }]));
}

async function store(connection: Connection, taken: readonly Taken[]): Promise<void> {
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
