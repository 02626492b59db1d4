import { Inject, Injectable } from '@nestjs/common';
import { Loop, type Clock, type Logger } from '@muster/runtime';
import { CLOCK, LOGGER } from '../core.module.js';
import { tellFailures } from '../loop-failures.js';
import { JobRemoval } from './job-removal.js';
import { PartitionKeeper } from './partition-keeper.js';

const EVERY_MS = 5 * 60_000;

/** Every few minutes on every replica: make room ahead of time, remove what was kept long enough. */
@Injectable()
export class RetentionSchedule {
  private readonly loop: Loop;

  constructor(
    private readonly partitions: PartitionKeeper,
    private readonly jobs: JobRemoval,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
  ) {
    this.loop = new Loop({
      name: 'retention',
      intervalMs: EVERY_MS,
      clock,
      run: (signal) => this.run(signal),
      onError: tellFailures(log, 'retention failed, tried again later'),
    });
  }

  /** Makes sure that there is room, or says why not: what comes now then lies in the default partitions. Never rejects. */
  async prepare(): Promise<void> {
    await this.partitions.prepare().catch((error: unknown) => this.log.warn({ err: error }, 'partitions not prepared'));
  }

  /** The first round begins at once. */
  start(): void {
    this.loop.start();
  }

  /** One whole round that begins after this call. Never rejects. */
  tick(): Promise<void> {
    return this.loop.tick();
  }

  /** Ends after the portion that is being removed. */
  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async run(signal: AbortSignal): Promise<void> {
    await this.partitions.prepare();
    const jobs = await this.jobs.removeDue(signal);
    if (jobs > 0) this.log.info({ jobs }, 'jobs removed that were kept long enough');
    if (!signal.aborted) await this.partitions.dropPast();
  }
}
