import type { AttemptId, WorkerId } from '@muster/protocol';
import type { Connection } from '../database/connection-pool.js';
import { sql } from '../database/sql.js';

/** Nothing here changes while an attempt runs, so it is read without a lock. */
export const STREAM_OWNERS = sql`
  select id, worker_id, log_id, ended_at is not null and ended_at < now() - $2::double precision * interval '1 ms' as is_past_retention
  from attempt
  where id = any($1::text[])
`;

interface OwnerRow { id: AttemptId; worker_id: WorkerId; log_id: AttemptId; is_past_retention: boolean }

/** Whose streams attempts write to: those of log bytes and of metrics alike. */
export class StreamOwners {
  private constructor(private readonly rows: ReadonlyMap<AttemptId, OwnerRow>) {}

  static async of(connection: Connection, attemptIds: readonly AttemptId[], retentionMs: number): Promise<StreamOwners> {
    const rows = await connection.query<OwnerRow>(STREAM_OWNERS, [[...new Set(attemptIds)], retentionMs]);
    return new StreamOwners(new Map(rows.map((row) => [row.id, row])));
  }

  /** The log the attempt writes to, if it is this worker's and its log is still taken. */
  logIdFor(workerId: WorkerId, attemptId: AttemptId): AttemptId | undefined {
    const owner = this.rows.get(attemptId);
    return owner?.worker_id === workerId && !owner.is_past_retention ? owner.log_id : undefined;
  }
}
