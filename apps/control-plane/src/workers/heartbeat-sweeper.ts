import { Inject, Injectable } from '@nestjs/common';
import type { SweepCommand } from '@muster/domain';
import type { AttemptId, AttemptState, JobId, WorkerId } from '@muster/protocol';
import type { Logger } from '@muster/runtime';
import { Announcements } from '../announcements.js';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG, LOGGER } from '../core.module.js';
import { Database } from '../database/database.js';
import { isUnavailable } from '../database/database-errors.js';
import { EngineService } from '../engine/engine.service.js';
import { newId } from '../new-id.js';
import { Fleet } from '../replicas/fleet.js';
import { ReplicaMarks } from '../replicas/replica-marks.js';
import { DRAINS_DUE } from './orders/orders.sql.js';
import { silentTogether, type LastBeat } from './mass-silence.js';
import { ALERT_ADD, LAST_BEATS, LEASES_OVER, QUEUE_LIMITS_PASSED, WORKERS_SILENT } from './sweep.sql.js';

interface LeaseRow { id: AttemptId; state: AttemptState }

/**
 * Turns silence into consequences: workers become suspect and unreachable, leases that are over give their jobs back,
 * queue limits pass. It only finds what is due; the domain decides each case anew under its locks, so every replica may
 * sweep and a beat that comes in between wins.
 */
@Injectable()
export class HeartbeatSweeper {
  constructor(
    private readonly database: Database,
    private readonly engine: EngineService,
    private readonly fleet: Fleet,
    private readonly marks: ReplicaMarks,
    private readonly announcements: Announcements,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /**
   * One whole sweep: links, leases, queue limits, drains, none of which waits for another or falls with it. Nothing is done unless
   * this replica's mark is fresh. Rejects when PostgreSQL is away; the next one does what this one did not.
   */
  async sweep(): Promise<void> {
    if (!this.marks.isFresh) return;
    const sweeps = { links: this.sweepLinks(), leases: this.sweepLeases(), queueLimits: this.sweepQueueLimits(), drains: this.sweepDrains() };
    const ended = await Promise.allSettled(Object.values(sweeps));
    const names = Object.keys(sweeps);
    for (const [index, one] of ended.entries()) {
      if (one.status === 'rejected' && !isUnavailable(one.reason)) this.log.error({ err: one.reason, sweep: names[index] }, 'sweep failed');
    }
    for (const one of ended) if (one.status === 'rejected' && isUnavailable(one.reason)) throw one.reason;
  }

  private async sweepLinks(): Promise<void> {
    const limits = [2 * this.fleet.beatIntervalMs(), this.config.workerTimeoutMs];
    const silent = await this.database.control.query<{ id: WorkerId }>(WORKERS_SILENT, limits);
    await this.decideAll(silent.map(({ id }) => ({ type: 'workerLink', workerId: id, socket: 'silent' })));
  }

  private async sweepLeases(): Promise<void> {
    let over = await this.database.control.query<LeaseRow>(LEASES_OVER, [[]]);
    if (over.some(({ state }) => state !== 'offered') && this.marks.isFresh) {
      const spared = await this.findMassSilence();
      if (spared.size > 0) over = await this.database.control.query<LeaseRow>(LEASES_OVER, [[...spared]]);
    }
    await this.decideAll(over.map(({ id }) => ({ type: 'sweepAttempt', attemptId: id })));
  }

  private async sweepQueueLimits(): Promise<void> {
    const passed = await this.database.control.query<{ id: JobId }>(QUEUE_LIMITS_PASSED);
    await this.decideAll(passed.map(({ id }) => ({ type: 'sweepQueued', jobId: id })));
  }

  private async sweepDrains(): Promise<void> {
    const due = await this.database.control.query<{ id: WorkerId }>(DRAINS_DUE);
    await this.decideAll(due.map(({ id }) => ({ type: 'sweepDrain', workerId: id })));
    for (const { id } of due) this.announcements.announce('worker:changed', { workerId: id });
  }

  /** Hands what was found to the domain. One that cannot be decided is logged and holds up nobody. */
  private async decideAll(commands: readonly SweepCommand[]): Promise<void> {
    // PostgreSQL may have stood still while it was asked: then the leases it found over are owed that time.
    if (!this.marks.isFresh) return;
    const decided = await Promise.allSettled(commands.map((command) => this.engine.execute(command)));
    const failed = decided.flatMap((one, index) => (one.status === 'rejected' ? [{ error: one.reason as unknown, command: commands[index] }] : []));
    for (const { error, command } of failed) if (!isUnavailable(error)) this.log.error({ err: error, command }, 'a due row could not be swept');
    const unavailable = failed.find(({ error }) => isUnavailable(error));
    if (unavailable) throw unavailable.error;
  }

  /** Workers whose attempts are not declared lost now, because too many fell silent at once; raises the alert. */
  private async findMassSilence(): Promise<Set<WorkerId>> {
    const { workerTimeoutMs } = this.config;
    const spared = silentTogether(await this.database.control.query<LastBeat>(LAST_BEATS), workerTimeoutMs);
    if (spared.size === 0) return spared;
    const data = JSON.stringify({ workers: spared.size });
    const raised = await this.database.control.execute(ALERT_ADD, [newId('evt'), 10 * workerTimeoutMs, data]);
    if (raised > 0) this.log.error({ workers: spared.size }, 'many workers fell silent at once, nothing is declared lost');
    return spared;
  }
}
