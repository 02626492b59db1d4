import { Inject, Injectable } from '@nestjs/common';
import { FINAL_JOB_STATUSES, type JobId } from '@muster/protocol';
import type { Clock } from '@muster/runtime';
import type { ControlPlaneConfig } from '../config.js';
import { CLOCK, CONFIG } from '../core.module.js';
import { Database } from '../database/database.js';
import { birthBound } from './partition-plan.js';
import { EVENTS_REMOVE, JOBS_DUE_LOCK, JOBS_REMOVE, JOBS_WALK, NOW_MS } from './retention.sql.js';

/** Jobs in one transaction: short enough that nobody notices whom it makes wait. */
const JOBS_AT_ONCE = 200;
const EVENTS_AT_ONCE = 1_000;

/**
 * Removes jobs that have been over for longer than they are kept, with their attempts, a few at a time. Between two
 * portions it rests as long as the last one took, so that it never takes more than half of one connection.
 */
@Injectable()
export class JobRemoval {
  constructor(
    private readonly database: Database,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  /** Goes on until nothing is due or the signal aborts. Resolves with how many jobs were removed. */
  async removeDue(signal: AbortSignal): Promise<number> {
    let removed = 0;
    for (const status of FINAL_JOB_STATUSES) removed += await this.removeOf(status, signal);
    await this.inPortions(signal, async () => {
      const count = await this.database.execute(EVENTS_REMOVE, [this.config.jobRetentionMs, EVENTS_AT_ONCE]);
      return count === EVENTS_AT_ONCE;
    });
    return removed;
  }

  private async removeOf(status: string, signal: AbortSignal): Promise<number> {
    const keptMs = this.config.jobRetentionMs;
    const [now] = await this.database.query<{ now_ms: number }>(NOW_MS);
    const bornBefore = birthBound('job', (now?.now_ms ?? 0) - keptMs);
    let after = '';
    let removed = 0;
    await this.inPortions(signal, async () => {
      const rows = await this.database.query<{ id: JobId; is_due: boolean }>(JOBS_WALK, [status, after, bornBefore, keptMs, JOBS_AT_ONCE]);
      removed += await this.remove(rows.filter((row) => row.is_due).map((row) => row.id));
      after = rows.at(-1)?.id ?? after;
      return rows.length === JOBS_AT_ONCE;
    });
    return removed;
  }

  private async remove(ids: readonly JobId[]): Promise<number> {
    if (ids.length === 0) return 0;
    return this.database.transaction(async (connection) => {
      const due = await connection.query<{ id: JobId }>(JOBS_DUE_LOCK, [ids, this.config.jobRetentionMs]);
      if (due.length === 0) return 0;
      const [row] = await connection.query<{ removed: number }>(JOBS_REMOVE, [due.map(({ id }) => id)]);
      return row?.removed ?? 0;
    });
  }

  /** @param work one portion; resolves with whether there may be more */
  private async inPortions(signal: AbortSignal, work: () => Promise<boolean>): Promise<void> {
    while (!signal.aborted) {
      const beganMs = this.clock.monotonicMs();
      if (!(await work())) return;
      await this.clock.sleep(this.clock.monotonicMs() - beganMs, signal).catch(() => undefined);
    }
  }
}
