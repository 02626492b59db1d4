import { Inject, Injectable } from '@nestjs/common';
import type { AttemptState, Outcome } from '@muster/protocol';
import type { ControlPlaneConfig } from '../../../config.js';
import { CONFIG } from '../../../core.module.js';
import { Database } from '../../../database/database.js';
import type { JobTerm } from '../../../keys/job-tokens.js';
import { WorkerDesk } from '../../../worker-life/worker-desk.js';
import { ForeignRefusal } from '../../foreign-refusal.js';
import { TRAINING_STANDING } from './training.sql.js';
import { isFinalTraining, mayReport, OUTCOMES, trainingStatusOf, type ReportedTraining, type TrainingStatus } from './training-status.js';

interface StandingRow {
  readonly state: AttemptState;
  readonly outcome: Outcome | null;
  readonly detail: string | null;
  readonly ran_ms: number | null;
  readonly is_past_retention: boolean | null;
}

export interface TrainingView {
  readonly status: TrainingStatus;
  /** Why it failed, in the worker's words. */
  readonly error: string | null;
}

/** Status of training jobs of FineTune Lab over our own attempts: what a worker reports are commands of the lease protocol. */
@Injectable()
export class TrainingJobs {
  constructor(
    private readonly desk: WorkerDesk,
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  /** @throws ForeignRefusal 409 where that may not follow on what the job is; then nothing changed */
  async report(term: JobTerm, wanted: ReportedTraining, error: string | undefined): Promise<void> {
    const row = await this.standing(term);
    const status = trainingStatusOf(row);
    if (!mayReport(status, wanted)) throw conflict(status, wanted);
    // Said again: its first word counts.
    if (isFinalTraining(status)) return;
    if (status === 'claimed') await this.start(term, wanted);
    if (isFinalTraining(wanted)) await this.end(term, wanted, wanted === 'failed' ? (error ?? null) : null, row.ran_ms ?? 0);
    else if (status !== 'claimed') await this.renew(term, wanted);
  }

  /**
   * Every accepted call of a job shows that it lives, and renews its lease. Resolves with how it stands.
   *
   * @throws ForeignRefusal 401 when its worker may not speak any more
   */
  async touch(term: JobTerm): Promise<TrainingView> {
    return this.renewed(term, await this.standing(term));
  }

  /**
   * The same, before more of its log or metrics is stored.
   *
   * @throws ForeignRefusal 410 where they were kept long enough
   */
  async touchToStore(term: JobTerm): Promise<void> {
    const row = await this.standing(term);
    if (row.is_past_retention === true) throw new ForeignRefusal(410, 'The job ended so long ago that nothing of it is taken any more.');
    await this.renewed(term, row);
  }

  private async renewed(term: JobTerm, row: StandingRow): Promise<TrainingView> {
    const view = toView(row);
    // It names no state: a report that comes at this moment may have changed it.
    if (view.status === 'running' || view.status === 'paused') await this.renew(term, view.status, { isEcho: true });
    return view;
  }

  private async start(term: JobTerm, wanted: ReportedTraining): Promise<void> {
    const answer = await this.desk.start(term, refOf(term));
    if (answer.kind === 'senderRefused') throw silenced();
    if (answer.kind === 'no') throw conflict(trainingStatusOf(await this.standing(term)), wanted);
  }

  private async renew(term: JobTerm, state: 'running' | 'paused', how: { readonly isEcho?: true } = {}): Promise<void> {
    const answer = await this.desk.renew(term, [{ ...refOf(term), state }], how);
    if ('kind' in answer) throw silenced();
  }

  private async end(term: JobTerm, wanted: keyof typeof OUTCOMES, detail: string | null, ranMs: number): Promise<void> {
    const usage = { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: ranMs / 1_000 };
    const end = { outcome: OUTCOMES[wanted], exit: null, detail, usage, containment: 'group', leftovers: 0, logs: {}, ranMs } as const;
    const answer = await this.desk.end(term, { ...refOf(term), ...end }, { isUsersWord: true });
    if (answer.kind === 'senderRefused') throw silenced();
    // Another report came first.
    if (answer.kind === 'superseded') throw conflict(trainingStatusOf(await this.standing(term)), wanted);
  }

  private async standing({ attemptId }: JobTerm): Promise<StandingRow> {
    const [row] = await this.database.query<StandingRow>(TRAINING_STANDING, [attemptId, this.config.logRetentionMs]);
    if (!row) throw new ForeignRefusal(404, 'The job was removed.');
    return row;
  }
}

function toView(row: StandingRow): TrainingView {
  const status = trainingStatusOf(row);
  return { status, error: status === 'failed' ? row.detail : null };
}

const refOf = ({ attemptId, epoch }: JobTerm): Pick<JobTerm, 'attemptId' | 'epoch'> => ({ attemptId, epoch });

function conflict(status: TrainingStatus, wanted: ReportedTraining): ForeignRefusal {
  return new ForeignRefusal(409, `The job is ${status} and cannot become ${wanted}.`);
}

function silenced(): ForeignRefusal {
  return new ForeignRefusal(401, 'The worker of this job may not speak any more.');
}
