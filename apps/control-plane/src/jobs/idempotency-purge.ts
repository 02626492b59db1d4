import { Inject, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { Logger } from '@muster/runtime';
import { LOGGER } from '../core.module.js';
import { Database } from '../database/database.js';
import { IDEMPOTENCY_PURGE } from './jobs.sql.js';

const HOUR_MS = 3_600_000;

/** Forgets Idempotency-Keys older than a day. A single statement: every replica may run it. */
@Injectable()
export class IdempotencyPurge {
  constructor(
    private readonly database: Database,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  @Interval(HOUR_MS)
  async purge(): Promise<void> {
    await this.database.execute(IDEMPOTENCY_PURGE).catch((error: unknown) => this.log.warn({ err: error }, 'idempotency keys not purged'));
  }
}
