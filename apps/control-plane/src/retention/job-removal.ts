import { Inject, Injectable } from '@nestjs/common';
import { FINAL_JOB_STATUSES, type JobId } from '@muster/protocol';
import type { Clock } from '@muster/runtime';
import { birthBound } from '../birth-bound.js';
import type { ControlPlaneConfig } from '../config.js';
import { CLOCK, CONFIG } from '../core.module.js';
import { Database } from '../database/database.js';
import { EVENTS_REMOVE, JOBS_DUE_LOCK, JOBS_REMOVE, JOBS_WALK, NOW_MS } from './retention.sql.js';

/** Jobs in one transaction: short enough that nobody notices whom it makes wait. */
const JOBS_AT_ONCE = 200;
const EVENTS_AT_ONCE = 1_000;

interface WalkedRow {
  readonly id: JobId;
  readonly due_in_ms: number;
}

/**
 * How far the jobs of a status were walked, and when the first of those that were left standing is due: at the latest a
 * whole retention later, because others may finish among them meanwhile.
 */
interface Walk {
  after: string;
  dueAtMs: number;
}

/**
 * Removes jobs that have been over for longer than they are kept, with their attempts, a few at a time. Between two
 * portions it rests as long as the last one took, so that it never takes more than half of one connection.
 */
@Injectable()
export class JobRemoval {
  private readonly walks = new Map<string, Walk>();

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
    const walk = this.walkOf(status);
    let removed = 0;
    await this.inPortions(signal, async () => {
      const rows = await this.database.query<WalkedRow>(JOBS_WALK, [status, walk.after, bornBefore, keptMs, JOBS_AT_ONCE]);
      const due = rows.filter((row) => row.due_in_ms <= 0).map((row) => row.id);
      const count = await this.remove(due);
      removed += count;
      const dueInMs = Math.min(...rows.map((row) => row.due_in_ms).filter((dueIn) => dueIn > 0), count < due.length ? 0 : Infinity);
      walk.dueAtMs = Math.min(walk.dueAtMs, this.clock.monotonicMs() + dueInMs);
      walk.after = rows.at(-1)?.id ?? walk.after;
      return rows.length === JOBS_AT_ONCE;
    });
    return removed;
  }

  /** From the beginning only when something of what was walked past has become due. */
  private walkOf(status: string): Walk {
    const walk = this.walks.get(status);
    if (walk !== undefined && walk.dueAtMs > this.clock.monotonicMs()) return walk;
    const fresh = { after: '', dueAtMs: this.clock.monotonicMs() + this.config.jobRetentionMs };
    this.walks.set(status, fresh);
    return fresh;
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
