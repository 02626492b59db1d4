import { Injectable } from '@nestjs/common';
import type { WorkerOrder } from '@muster/domain';
import type { CordonWorkerDto, DrainWorkerDto, RemoveWorkerQuery, UndrainWorkerDto, UpdateWorkerDto } from '@muster/dto';
import { LIMITS } from '@muster/protocol';
import type { EventView, Page, WorkerId, WorkerView } from '@muster/protocol';
import { Announcements } from '../../announcements.js';
import { Database } from '../../database/database.js';
import { EngineService } from '../../engine/engine.service.js';
import { fromCursor, isSequence, toCursor } from '../../http/cursor.js';
import { invalidRequest, Refusal, unknownWorker } from '../../http/refusal.js';
import { toEventView, type EventRow } from '../../jobs/attempt.view.js';
import type { Caller } from '../../keys/caller.js';
import { WorkerReader } from '../worker-reader.js';
import { EVENTS_OF_WORKER } from './orders.sql.js';
import { setWords } from './worker-words.js';

/** What people order about workers. The engine decides what that means for the jobs they hold. */
@Injectable()
export class WorkerOrders {
  constructor(
    private readonly database: Database,
    private readonly engine: EngineService,
    private readonly announcements: Announcements,
    private readonly reader: WorkerReader,
  ) {}

  /** From when this resolves nothing new is given to the worker. Asking again is harmless. */
  cordon(workerId: WorkerId, wish: CordonWorkerDto, caller: Caller): Promise<WorkerView> {
    return this.order({ type: 'cordon', workerId, actor: caller.owner, ...noteOf(wish) });
  }

  /** The same; and its jobs come to an end as the policy says. Asked again it goes on with the new policy, deadline and reason. */
  drain(workerId: WorkerId, wish: DrainWorkerDto, caller: Caller): Promise<WorkerView> {
    const { policy = 'wait', deadlineSeconds = null } = wish;
    if (policy !== 'wait' && deadlineSeconds === null) {
      throw invalidRequest([{ pointer: '/deadlineSeconds', detail: `Expected a number of seconds, because the policy ${policy} acts at the deadline, got nothing. 0 acts at once.` }]);
    }
    return this.order({ type: 'drain', workerId, policy, deadlineSeconds, actor: caller.owner, ...noteOf(wish) });
  }

  /** Takes a cordon or drain back; of a worker that has none it changes nothing. */
  undrain(workerId: WorkerId, wish: UndrainWorkerDto, caller: Caller): Promise<WorkerView> {
    return this.order({ type: 'undrain', workerId, actor: caller.owner, ...noteOf(wish) });
  }

  /** Slots first, then the words: each wholly or not at all, and both may be sent again. */
  async update(workerId: WorkerId, wish: UpdateWorkerDto, caller: Caller): Promise<WorkerView> {
    const { slots, ...words } = wish;
    if (slots !== undefined) await this.carryOut({ type: 'setSlots', workerId, slots, actor: caller.owner });
    if (Object.values(words).some((word) => word !== undefined)) {
      const found = await this.database.transaction((connection) => setWords(connection, workerId, words, caller.owner));
      if (found === 'unknown') throw unknownWorker(workerId);
      if (found === 'removed') throw removed();
    }
    return this.shown(workerId);
  }

  /** It gets nothing more, its agent is told and ends, and it stays readable. */
  remove(workerId: WorkerId, { force = false }: RemoveWorkerQuery, caller: Caller): Promise<WorkerView> {
    return this.order({ type: 'removeWorker', workerId, force, actor: caller.owner });
  }

  async events(workerId: WorkerId, query: { readonly limit?: number; readonly cursor?: string }): Promise<Page<EventView>> {
    const limit = query.limit ?? LIMITS.listPageDefault;
    const after = Number(fromCursor(query.cursor, isSequence) ?? 0);
    const rows = await this.database.query<EventRow>(EVENTS_OF_WORKER, [workerId, after, limit + 1]);
    if (rows.length === 0) await this.reader.get(workerId);
    const last = rows[limit - 1];
    return { data: rows.slice(0, limit).map(toEventView), nextCursor: rows.length > limit && last !== undefined ? toCursor(String(last.seq)) : null };
  }

  private async order(command: WorkerOrder): Promise<WorkerView> {
    await this.carryOut(command);
    return this.shown(command.workerId);
  }

  private async carryOut(command: WorkerOrder): Promise<void> {
    const reply = await this.engine.execute(command);
    if (reply.kind === 'notFound') throw unknownWorker(command.workerId);
    if (reply.kind === 'illegalOrder') throw new Refusal('illegalTransition', { detail: reply.detail, hint: reply.hint });
  }

  private shown(workerId: WorkerId): Promise<WorkerView> {
    this.announcements.announce('worker:changed', { workerId });
    return this.reader.get(workerId);
  }
}

function noteOf({ reason }: { readonly reason?: string }): { readonly note?: string } {
  return reason === undefined ? {} : { note: reason };
}

function removed(): Refusal {
  return new Refusal('illegalTransition', { detail: 'The worker was removed.', hint: 'It only stays readable.' });
}
