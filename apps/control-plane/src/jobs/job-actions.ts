import { Injectable } from '@nestjs/common';
import type { PersonCommand } from '@muster/domain';
import { ID_PREFIXES, isId } from '@muster/protocol';
import type { JobAction, JobId, JobView } from '@muster/protocol';
import type { CancelJobDto, PauseJobDto, ResumeJobDto } from '@muster/dto';
import { Database } from '../database/database.js';
import { EngineService } from '../engine/engine.service.js';
import { Refusal, unknownJob } from '../http/refusal.js';
import { mayAct } from '../keys/caller.js';
import type { Caller } from '../keys/caller.js';
import { JobReader } from './job-reader.js';
import { JOB_OWNER } from './jobs.sql.js';

/** What people order. The engine decides whether the job's state allows it. */
@Injectable()
export class JobActions {
  constructor(
    private readonly database: Database,
    private readonly engine: EngineService,
    private readonly reader: JobReader,
  ) {}

  /** Asking again is harmless. The processes are being stopped when this returns; the job is final when they are gone. */
  cancel(id: string, wish: CancelJobDto, caller: Caller): Promise<JobView> {
    return this.order(id, caller, 'cancelled', (jobId) => ({
      type: 'cancel',
      jobId,
      force: wish.force ?? false,
      actor: caller.owner,
      ...noteOf(wish),
    }));
  }

  /** Asking again is harmless. A job that runs is `paused` once its worker reports that all its processes stand still. */
  pause(id: string, wish: PauseJobDto, caller: Caller): Promise<JobView> {
    return this.order(id, caller, 'paused', (jobId) => ({ type: 'pause', jobId, actor: caller.owner, ...noteOf(wish) }));
  }

  /** Asking again is harmless. */
  resume(id: string, wish: ResumeJobDto, caller: Caller): Promise<JobView> {
    return this.order(id, caller, 'resumed', (jobId) => ({ type: 'resume', jobId, actor: caller.owner, ...noteOf(wish) }));
  }

  /** Takes the job back from a worker that does not answer. What still runs there is stopped when the worker is back. */
  requeue(id: string, caller: Caller): Promise<JobView> {
    return this.order(id, caller, 'taken back', (jobId) => ({ type: 'requeue', jobId, actor: caller.owner }));
  }

  /** Makes a job final whose worker does not answer; its process may still be running there. */
  abandon(id: string, caller: Caller): Promise<JobView> {
    return this.order(id, caller, 'given up', (jobId) => ({ type: 'abandon', jobId, actor: caller.owner }));
  }

  private async order(id: string, caller: Caller, done: string, commandFor: (jobId: JobId) => PersonCommand): Promise<JobView> {
    const command = commandFor(await this.changeableJob(id, caller));
    const reply = await this.engine.execute(command);
    if (reply.kind === 'notFound') throw unknownJob(id);
    if (reply.kind === 'done') return this.reader.get(id);
    throw new Refusal('illegalTransition', {
      detail: reply.detail ?? `The job is ${reply.status} and cannot be ${done}.`,
      hint: hintFor(command, reply.allowedActions),
      currentState: reply.status,
      allowedActions: reply.allowedActions,
    });
  }

  /** A submitter changes jobs of its own owner only; operators and admins change any. */
  private async changeableJob(id: string, caller: Caller): Promise<JobId> {
    if (!isId(ID_PREFIXES.job, id)) throw unknownJob(id);
    const [job] = await this.database.query<{ owner: string }>(JOB_OWNER, [id]);
    if (job === undefined) throw unknownJob(id);
    if (job.owner !== caller.owner && !mayAct(caller, 'operator')) {
      throw new Refusal('forbidden', {
        detail: `The job belongs to ${job.owner}; the key ${caller.name} (${caller.role}) acts for ${caller.owner}.`,
        hint: 'Use a key of its owner, or one with the role operator.',
      });
    }
    return id;
  }
}

function noteOf(wish: { readonly reason?: string }): { readonly note?: string } {
  return wish.reason === undefined ? {} : { note: wish.reason };
}

function hintFor(command: PersonCommand, allowedActions: readonly JobAction[]): string {
  if (allowedActions.length === 0) return 'Nothing can be done with it any more; submit it again to run it again.';
  const isForUnheard = command.type === 'requeue' || command.type === 'abandon';
  if (!isForUnheard || allowedActions.includes('abandon')) return 'Choose one of the allowed actions.';
  return 'That is for a job whose worker does not answer; choose one of the allowed actions.';
}
