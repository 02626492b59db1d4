import { Inject, Injectable } from '@nestjs/common';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import { Database } from '../database/database.js';
import type { Partition } from './partition-plan.js';
import { LOGS_OWED } from './retention.sql.js';

/** Attempts looked at by one statement. */
const ATTEMPTS_AT_ONCE = 500;
/** An agent's bytes are taken until the retention is over to the moment; whoever takes away waits until they are stored. */
const SLACK_MS = 60_000;

/**
 * Whether a log in a partition is still owed to somebody: its job is not over, or not for so long as logs are kept. A job that
 * runs for months therefore keeps the partition in which its log began.
 */
@Injectable()
export class LogDebts {
  /** By partition: where the last look stopped. What was not owed then never is again, so a partition is read once in all. */
  private readonly walked = new Map<string, string>();

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  async isOwed(partition: Partition): Promise<boolean> {
    const keptMs = this.config.logRetentionMs + SLACK_MS;
    for (;;) {
      const from = this.walked.get(partition.name) ?? partition.firstId;
      const values = [from, partition.endId, ATTEMPTS_AT_ONCE, keptMs];
      const [look] = await this.database.query<{ walked_to: string | null; owed_id: string | null }>(LOGS_OWED, values);
      const stoppedAt = look?.owed_id ?? look?.walked_to ?? from;
      this.walked.set(partition.name, stoppedAt);
      if (look?.owed_id != null) return true;
      if (stoppedAt !== from) continue;
      this.walked.delete(partition.name);
      return false;
    }
  }
}
