import { Inject, Injectable } from '@nestjs/common';
import type { AttemptId, AttemptState, JobId, WorkerId } from '@muster/protocol';
import type { Logger } from '@muster/runtime';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG, LOGGER } from '../core.module.js';
import { Database } from '../database/database.js';
import { EngineService } from '../engine/engine.service.js';
import { newId } from '../new-id.js';
import { Fleet } from '../replicas/fleet.js';
import { silentTogether, type LastBeat } from './mass-silence.js';
import { ALERT_ADD, LAST_BEATS, LEASES_OVER, QUEUE_LIMITS_PASSED, WORKERS_SILENT } from './sweep.sql.js';

interface LeaseRow { id: AttemptId; worker_id: WorkerId; state: AttemptState }

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
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  /** One whole sweep. Rejects when PostgreSQL is away; the next one does what this one did not. */
  async sweep(): Promise<void> {
    await this.sweepLinks();
    await this.sweepLeases();
    await this.sweepQueueLimits();
  }

  private async sweepLinks(): Promise<void> {
    const limits = [2 * this.fleet.beatIntervalMs(), this.config.workerTimeoutMs];
    const silent = await this.database.query<{ id: WorkerId }>(WORKERS_SILENT, limits);
    await Promise.all(silent.map(({ id }) => this.engine.execute({ type: 'workerLink', workerId: id, socket: 'silent' })));
  }

  private async sweepLeases(): Promise<void> {
    const over = await this.database.query<LeaseRow>(LEASES_OVER);
    const started = over.filter((row) => row.state !== 'offered');
    const spared = started.length > 0 ? await this.findMassSilence() : new Set<WorkerId>();
    const due = over.filter((row) => row.state === 'offered' || !spared.has(row.worker_id));
    await Promise.all(due.map(({ id }) => this.engine.execute({ type: 'sweepAttempt', attemptId: id })));
  }

  /** Workers whose attempts are not declared lost now, because too many fell silent at once; raises the alert. */
  private async findMassSilence(): Promise<Set<WorkerId>> {
    const { workerTimeoutMs } = this.config;
    const spared = silentTogether(await this.database.query<LastBeat>(LAST_BEATS), workerTimeoutMs);
    if (spared.size === 0) return spared;
    const data = JSON.stringify({ workers: spared.size });
    const raised = await this.database.execute(ALERT_ADD, [newId('evt'), 10 * workerTimeoutMs, data]);
    if (raised > 0) this.log.error({ workers: spared.size }, 'many workers fell silent at once, nothing is declared lost');
    return spared;
  }

  private async sweepQueueLimits(): Promise<void> {
    const passed = await this.database.query<{ id: JobId }>(QUEUE_LIMITS_PASSED);
    await Promise.all(passed.map(({ id }) => this.engine.execute({ type: 'sweepQueued', jobId: id })));
  }
}
