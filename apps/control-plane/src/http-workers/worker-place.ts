import { Injectable } from '@nestjs/common';
import { ID_PREFIXES, isId, type AttemptId, type AttemptRef, type WorkerId } from '@muster/protocol';
import type { SenderRefused } from '@muster/domain';
import { Database } from '../database/database.js';
import type { Speaker } from '../http/access.js';
import { Refusal } from '../http/refusal.js';
import type { Caller } from '../keys/caller.js';
import type { Sender } from '../worker-life/worker-desk.js';
import { ATTEMPT_STANDING, WORKER_STANDING } from './http-workers.sql.js';
import { noSuchAttempt, noSuchWorker, notHeard } from './refusals.js';

interface WorkerRow { owner: string; session: number; is_removed: boolean }
interface AttemptRow { id: AttemptId; epoch: number; log_id: AttemptId; worker_id: WorkerId; owner: string; session: number }

/** An attempt, by somebody who may speak of it. */
export interface Spoken {
  readonly sender: Sender;
  readonly ref: AttemptRef;
}

/** How often it is looked again who the newest program is, when that changes between the look and the word. */
const LOOKS_MAX = 3;

/**
 * Who may say what of which worker and attempt. Who names no session speaks as the newest program: what a job says by its token,
 * and what foreign workers say, who know of no sessions; the epoch of the attempt fences it all the same.
 */
@Injectable()
export class WorkerPlace {
  constructor(private readonly database: Database) {}

  /** @throws Refusal 404 for a worker that is not there or another owner's, 410 for one that was removed */
  async senderOf(caller: Caller, workerId: string, session: number | undefined): Promise<{ readonly sender: Sender }> {
    if (!isId(ID_PREFIXES.worker, workerId)) throw noSuchWorker(workerId);
    const [row] = await this.database.query<WorkerRow>(WORKER_STANDING, [workerId]);
    if (row === undefined || row.owner !== caller.owner) throw noSuchWorker(workerId);
    if (row.is_removed) throw notHeard('removed', workerId);
    return { sender: { workerId, session: session ?? row.session } };
  }

  /** @throws Refusal 404 for an attempt that is not there or another owner's, 403 for a token of another attempt */
  async spokenOf(speaker: Speaker, attemptId: string, session: number | undefined): Promise<Spoken> {
    const row = isId(ID_PREFIXES.attempt, attemptId) ? await this.attempt(attemptId) : undefined;
    const isToken = 'jobTerm' in speaker;
    if (isToken && (row === undefined || row.log_id !== speaker.jobTerm.logId || row.worker_id !== speaker.jobTerm.workerId)) {
      throw new Refusal('forbidden', { detail: 'This token opens the calls of another attempt.', hint: 'Use the token that came with the claim of this one.' });
    }
    if (row === undefined || (!isToken && row.owner !== speaker.caller.owner)) throw noSuchAttempt(attemptId);
    const { worker_id: workerId, epoch } = row;
    return { sender: { workerId, session: (isToken ? undefined : session) ?? row.session }, ref: { attemptId: row.id, epoch } };
  }

  /**
   * Says it, and again as the newest program when another came in between and the speaker had named none.
   *
   * @throws Refusal when the speaker is not, or no longer, heard
   */
  async say<Who extends { readonly sender: Sender }, T extends object>(
    look: () => Promise<Who>,
    isNamed: boolean,
    word: (who: Who) => Promise<T | SenderRefused>,
  ): Promise<T> {
    for (let looks = 1; ; looks++) {
      const who = await look();
      const answer = await word(who);
      if (!isSenderRefused(answer)) return answer;
      const isOvertaken = answer.reason === 'superseded' && !isNamed;
      if (!isOvertaken || looks === LOOKS_MAX) throw notHeard(answer.reason, who.sender.workerId);
    }
  }

  private async attempt(id: AttemptId): Promise<AttemptRow | undefined> {
    const [row] = await this.database.query<AttemptRow>(ATTEMPT_STANDING, [id]);
    return row;
  }
}

export function isSenderRefused(answer: object): answer is SenderRefused {
  return 'kind' in answer && answer.kind === 'senderRefused';
}
