import { Inject, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { KeyId } from '@muster/protocol';
import type { Logger } from '@muster/runtime';
import { LOGGER } from '../core.module.js';
import { Database } from '../database/database.js';
import { isUnavailable } from '../database/database-errors.js';
import { ReplicaMarks } from '../replicas/replica-marks.js';
import { AgentGateway } from '../sockets/agent.gateway.js';
import { HeartbeatSweeper } from './heartbeat-sweeper.js';
import { KEYS_NO_LONGER_VALID } from './registry.sql.js';

const WATCH_MS = 1_000;

/**
 * What happens every second on every replica: mark alive, close the sockets of keys that ended, sweep. The mark comes
 * first: it gives back the time in which nobody could renew, and without it nothing may be swept.
 */
@Injectable()
export class WatchSchedule {
  private running: Promise<void> | undefined;
  private isStopped = false;
  private failures = 0;

  constructor(
    private readonly database: Database,
    private readonly marks: ReplicaMarks,
    private readonly sweeper: HeartbeatSweeper,
    private readonly gateway: AgentGateway,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** One whole watch; a call while one runs waits for that one. Never rejects. */
  @Interval(WATCH_MS)
  watch(): Promise<void> {
    if (this.isStopped) return Promise.resolve();
    this.running ??= this.watchOnce().finally(() => (this.running = undefined));
    return this.running;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.running;
    await this.marks.remove().catch(() => undefined);
  }

  private async watchOnce(): Promise<void> {
    try {
      await this.marks.mark();
      await this.closeEndedKeys();
      await this.gateway.keepAttached();
      await this.sweeper.sweep();
      this.failures = 0;
    } catch (error) {
      this.failures += 1;
      if (this.failures === 1 || !isUnavailable(error)) this.log.warn({ err: error }, 'watch failed');
    }
  }

  private async closeEndedKeys(): Promise<void> {
    const keyIds = this.gateway.keyIds();
    if (keyIds.length === 0) return;
    const ended = await this.database.query<{ id: KeyId }>(KEYS_NO_LONGER_VALID, [keyIds]);
    if (ended.length > 0) this.gateway.closeKeys(ended.map(({ id }) => id));
  }
}
