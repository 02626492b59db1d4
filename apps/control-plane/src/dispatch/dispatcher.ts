import { Inject, Injectable } from '@nestjs/common';
import { Loop, type Logger } from '@muster/runtime';
import type { AttemptId, JobId, Offer, WorkerId } from '@muster/protocol';
import { Announcements } from '../announcements.js';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG, LOGGER, REPLICA_ID } from '../core.module.js';
import type { Transaction } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { isUnavailable } from '../database/database-errors.js';
import { WaitingClaims, type Grant } from '../http-workers/waiting-claims.js';
import { Fleet } from '../replicas/fleet.js';
import { AgentSessions } from '../sockets/agent-sessions.js';
import { Notices } from '../sockets/notices.js';
import type { Sender } from '../worker-life/worker-desk.js';
import { Backoffs } from './backoffs.js';
import { claimAtOnce, planAfterEnds, planAtOnce, type ComingJob } from './claim-at-once.js';
import type { ClaimPlan } from './claim-plan.js';
import { claim, type Claimed, type ClaimRequest } from './claim.js';
import { OFFERS_OPEN } from './dispatch.sql.js';
import { Expectation } from './expectation.js';
import { LaneBook } from './lane-book.js';
import { LineBook } from './line-book.js';
import { ProfileBook } from './profile-book.js';
import { RoomBook } from './room-book.js';
import { look, type Look } from './turn.js';

type OfferRow = Pick<Offer, 'epoch' | 'number' | 'spec' | 'gpus'> & { attempt_id: AttemptId; job_id: JobId };

/** What a transaction may grant beside what it stores: a submission of its own jobs, ends of those that stand in line. */
export interface GrantAtOnce {
  /** Behind the statements that store the jobs, or the ends. */
  readonly claim: (transaction: Transaction) => Promise<Claimed>;
  /** Offers what was claimed; call it after the commit. True when every job was granted, or every slot filled, so that nobody need look for more. */
  readonly committed: (claimed: Claimed) => boolean;
}

/** The truth when no word of a new job arrived. */
const POLL_MS = 1_500;

/**
 * Gives queued jobs to the agents connected to this replica, and to the workers that ask here for one. Woken by whoever made a job or a slot free, here or on
 * another replica, if the other of the two may be there as well, and by a slow poll. One turn at a time; it takes another at
 * once while it finds something to grant.
 */
@Injectable()
export class Dispatcher {
  private readonly books = { lanes: new LaneBook(), profiles: new ProfileBook(), room: new RoomBook(), line: new LineBook() };
  private readonly expectation = new Expectation();
  private readonly loop: Loop;
  private readonly backoffs: Backoffs;
  private isStopping = false;

  constructor(
    private readonly database: Database,
    private readonly sessions: AgentSessions,
    private readonly waiting: WaitingClaims,
    private readonly notices: Notices,
    private readonly announcements: Announcements,
    private readonly fleet: Fleet,
    @Inject(REPLICA_ID) private readonly replicaId: string,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(LOGGER) log: Logger,
  ) {
    const onError = (error: unknown, failures: number): void => {
      // While PostgreSQL is away every turn fails: said once, not every second.
      if (failures === 1 || !isUnavailable(error)) log.warn({ err: error }, 'dispatch failed');
    };
    this.loop = new Loop({ name: 'dispatch', intervalMs: POLL_MS, run: () => this.dispatch(), onError });
    this.backoffs = new Backoffs({ database, isNeeded: () => this.isSomebodyHere, onEnded: () => this.jobsQueued(), onError });
    this.listen();
  }

  start(): void {
    this.backoffs.start();
    this.loop.start();
  }

  /** Resolves when the running turn has ended; what it granted was offered. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.backoffs.stop();
    await this.loop.stop();
  }

  /** Jobs came in line: call it after the commit that put them there. Tells the other replicas too. */
  jobsQueued(): void {
    this.announcements.announce('dispatch:queued', {});
  }

  /**
   * How jobs that are about to be stored can be granted with the same commit: where nobody stands in line before them and a
   * worker here seems to have room. Undefined where it takes a turn of dispatch, to which they are left then.
   */
  atOnce(jobs: readonly ComingJob[]): GrantAtOnce | undefined {
    if (this.isStopping || !this.expectation.isOnlyRoom) return undefined;
    const room = this.books.room.choose(this.isHere);
    const plan = planAtOnce(jobs, room, this.books.profiles.known);
    if (plan === undefined) return undefined;
    const found = this.expectation.beginLook();
    return {
      claim: (transaction) => claimAtOnce(transaction, this.requestFor(plan)),
      committed: (claimed) => {
        const isAll = this.taken(claimed) === jobs.length;
        found({ jobs: !isAll, room: this.books.room.hasRoom || this.waiting.size > 0 });
        return isAll;
      },
    };
  }

  /**
   * How the slots that these workers free can be filled with the commit of the ends, a slot for each time that a worker stands
   * there. Undefined where it is not known who stands in line, or one waits for more than a slot.
   */
  afterEnds(workerIds: readonly WorkerId[]): GrantAtOnce | undefined {
    const lanes = this.isStopping ? [] : this.books.line.known(performance.now());
    const here = workerIds.filter(this.isHere);
    const plan = planAfterEnds(here, lanes, this.books.profiles.known);
    if (plan === undefined) return undefined;
    return {
      claim: (transaction) => claim(transaction, this.requestFor(plan)),
      committed: (claimed) => this.taken(claimed) === workerIds.length,
    };
  }

  /** There may be both jobs and room that nobody spoke of. */
  wake(): void {
    this.roomFound();
    this.jobsQueued();
  }

  /**
   * A worker has just connected here: what was offered on a connection before and is not taken yet is offered on this one,
   * and a turn may find more for it. An agent knows an offer that it hears twice.
   */
  async offerAgain(workerId: WorkerId): Promise<void> {
    this.books.profiles.forget(workerId);
    this.roomFound();
    const session = this.sessions.get(workerId)?.session;
    if (session === undefined) return;
    const offers = await this.database.control.query<OfferRow>(OFFERS_OPEN, [workerId]);
    for (const { attempt_id: attemptId, job_id: jobId, ...rest } of offers) this.notices.sendOffer({ workerId, session }, { attemptId, jobId, ...rest });
  }

  /** One whole turn, whatever is expected; resolves when nothing more can be granted. */
  async tick(): Promise<void> {
    await this.backoffs.tick();
    await this.loop.tick();
  }

  private listen(): void {
    const { announcements, books, expectation, loop } = this;
    this.waiting.onAsked(() => this.roomFound());
    announcements.on('dispatch:queued', () => {
      expectation.expectJobs();
      books.line.forget();
      if (expectation.isWorthALook) loop.wake();
    });
    announcements.on('dispatch:room', () => this.roomFound());
    announcements.on('dispatch:backoff', () => this.backoffs.wake());
    announcements.on('worker:changed', ({ workerId }) => books.profiles.forget(workerId));
    announcements.on('announcements:missed', () => {
      books.profiles.forgetAll();
      books.line.forget();
      expectation.expectJobs();
      this.roomFound();
    });
  }

  private roomFound(): void {
    this.expectation.expectRoom();
    if (this.expectation.isWorthALook) this.loop.wake();
  }

  private readonly isHere = (id: WorkerId): boolean => this.sessions.get(id) !== undefined;

  private get isSomebodyHere(): boolean {
    return this.sessions.size + this.waiting.size > 0;
  }

  private async dispatch(): Promise<void> {
    let mayGrantMore = true;
    while (mayGrantMore && this.isSomebodyHere) mayGrantMore = await this.turn();
  }

  /** True when another turn may find more to grant. */
  private async turn(): Promise<boolean> {
    const lane = this.database.lane('dispatch');
    const found = this.expectation.beginLook();
    const sawLine = this.books.line.beginLook();
    const asked = this.waiting.asked();
    const workerIds = [...this.sessions.workerIds(), ...asked.keys()];
    const seen = await look(lane, this.books, { workerIds, replicaId: this.replicaId, asked });
    this.books.room.looked(seen.room.filter(({ id }) => !asked.has(id)));
    // Where nobody had room nobody looked who stands in line.
    if (seen.room.length > 0) sawLine(seen.lanes, performance.now());
    if (seen.plan.wanted.length === 0) {
      found(leftOf(seen, 0));
      return false;
    }
    const claimed = await lane.transaction((transaction) => claim(transaction, { ...this.requestFor(seen.plan), asked }));
    const granted = this.taken(claimed);
    for (const { sender, grant } of grantsTo(asked, claimed)) this.waiting.give(sender, grant);
    const left = leftOf(seen, granted);
    found(left);
    // One that was there a moment ago may have been the only one chosen.
    const isSomebodyGone = claimed.slice.workers.size < seen.plan.workerIds.length;
    return left.room && (isSomebodyGone || (claimed.mayHoldMore && granted > 0));
  }

  /** What was claimed is committed: offers it, and answers how much it is. */
  private taken({ decision, slice, mayHoldMore }: Claimed): number {
    this.books.room.counted(slice, this.isHere);
    if (!mayHoldMore) this.books.line.forget();
    this.notices.deliver(decision.notices, slice);
    return decision.attempts.length;
  }

  private requestFor(plan: ClaimPlan): ClaimRequest {
    return { plan, replicaId: this.replicaId, context: this.context() };
  }

  private context(): { workerTimeoutMs: number; beatIntervalMs: number; offerTtlMs: number } {
    const { workerTimeoutMs, offerTtlMs } = this.config;
    return { workerTimeoutMs, beatIntervalMs: this.fleet.beatIntervalMs(), offerTtlMs };
  }
}

/** What was granted to workers that asked for it: nobody sends them an offer, their request is answered. */
function grantsTo(asked: ReadonlyMap<WorkerId, number>, { decision, slice }: Claimed): { readonly sender: Sender; readonly grant: Grant }[] {
  return decision.attempts.flatMap(({ id: attemptId, epoch, jobId, number, gpus, workerId }) => {
    const [worker, job] = [slice.workers.get(workerId), slice.jobs.get(jobId)];
    if (!asked.has(workerId) || worker === undefined || job === undefined) return [];
    return [{ sender: { workerId, session: worker.session }, grant: { attemptId, epoch, jobId, number, spec: job.spec, gpus } }];
  });
}

/** Without room nobody looked for jobs. */
function leftOf({ room, lanes }: Look, granted: number): { readonly jobs: boolean; readonly room: boolean } {
  const places = room.reduce((sum, { slots, held }) => sum + slots - held, 0);
  const waiting = lanes.reduce((sum, lane) => sum + lane.waiting, 0);
  return { jobs: places === 0 || waiting > granted, room: places > granted };
}
