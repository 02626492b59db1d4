import { Inject, Injectable } from '@nestjs/common';
import { Loop, type Clock, type Logger } from '@muster/runtime';
import type { ControlPlaneConfig } from '../config.js';
import { CLOCK, CONFIG, LOGGER } from '../core.module.js';
import { Database } from '../database/database.js';
import type { Statement } from '../database/sql.js';
import { tellFailures } from '../loop-failures.js';
import { keptMs, STORED_MS } from './resolution.js';
import { ROLL_UP_HOURS, ROLL_UP_MINUTES, SAMPLES_REMOVE } from './samples.sql.js';

const EVERY_MS = 30_000;
/** What was received this lately may not be committed yet. */
const LAG_MS = 15_000;
/** What one statement makes at most, so that none takes long after an outage. */
const MINUTES_SPAN_MS = STORED_MS.hour;
const HOURS_SPAN_MS = 24 * STORED_MS.hour;

/**
 * Makes minutes of samples and hours of minutes, on every replica: each statement takes its place in the series as far as
 * nobody else has, and what is made is known in the same transaction.
 */
@Injectable()
export class SampleRollUp {
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    @Inject(CLOCK) clock: Clock,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(LOGGER) log: Logger,
  ) {
    this.loop = new Loop({
      name: 'sample roll-up',
      intervalMs: EVERY_MS,
      clock,
      run: (signal) => this.run(signal),
      onError: tellFailures(log, 'samples not rolled up, tried again later'),
    });
  }

  start(): void {
    this.loop.start();
  }

  /** One whole round that begins after this call. Never rejects. */
  tick(): Promise<void> {
    return this.loop.tick();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async run(signal: AbortSignal): Promise<void> {
    const kept = keptMs(this.config.sampleRetentionMs);
    await this.repeat(ROLL_UP_MINUTES, [LAG_MS, MINUTES_SPAN_MS, kept.hour], signal);
    await this.repeat(ROLL_UP_HOURS, [HOURS_SPAN_MS, kept.hour], signal);
    await this.database.execute(SAMPLES_REMOVE, [kept.raw, kept.minute, kept.hour]);
  }

  private async repeat(statement: Statement, values: readonly number[], signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const [made] = await this.database.query<{ has_more: boolean }>(statement, values);
      if (made?.has_more !== true) return;
    }
  }
}
