import { Inject, Injectable } from '@nestjs/common';
import { Loop, type Logger } from '@muster/runtime';
import type { AttemptId, JobId, Offer, WorkerId } from '@muster/protocol';
import { Announcements } from '../announcements.js';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG, LOGGER, REPLICA_ID } from '../core.module.js';
import { Database } from '../database/database.js';
import { isUnavailable } from '../database/database-errors.js';
import { Fleet } from '../replicas/fleet.js';
import { AgentSessions } from '../sockets/agent-sessions.js';
import { Notices } from '../sockets/notices.js';
import { Backoffs } from './backoffs.js';
import { claim } from './claim.js';
import { OFFERS_OPEN } from './dispatch.sql.js';
import { Expectation } from './expectation.js';
import { LaneBook } from './lane-book.js';
import { ProfileBook } from './profile-book.js';
import { look, type Look } from './turn.js';

type OfferRow = Pick<Offer, 'epoch' | 'number' | 'spec' | 'gpus'> & { attempt_id: AttemptId; job_id: JobId };

/** The truth when no word of a new job arrived. */
const POLL_MS = 1_500;

/**
 * Gives queued jobs to the agents connected to this replica. Woken by whoever made a job or a slot free, here or on
 * another replica, if the other of the two may be there as well, and by a slow poll. One turn at a time; it takes another at
 * once while it finds something to grant.
 */
@Injectable()
export class Dispatcher {
  private readonly books = { lanes: new LaneBook(), profiles: new ProfileBook() };
  private readonly expectation = new Expectation();
  private readonly loop: Loop;
  private readonly backoffs: Backoffs;

  constructor(
    private readonly database: Database,
    private readonly sessions: AgentSessions,
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
    this.backoffs = new Backoffs({ database, isNeeded: () => sessions.size > 0, onEnded: () => this.jobsQueued(), onError });
    this.listen();
  }

  start(): void {
    this.backoffs.start();
    this.loop.start();
  }

  /** Resolves when the running turn has ended; what it granted was offered. */
  async stop(): Promise<void> {
    await this.backoffs.stop();
    await this.loop.stop();
  }

  /** Jobs came in line: call it after the commit that put them there. Tells the other replicas too. */
  jobsQueued(): void {
    this.announcements.announce('dispatch:queued', {});
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
    announcements.on('dispatch:queued', () => {
      expectation.expectJobs();
      if (expectation.isWorthALook) loop.wake();
    });
    announcements.on('dispatch:room', () => this.roomFound());
    announcements.on('dispatch:backoff', () => this.backoffs.wake());
    announcements.on('worker:changed', ({ workerId }) => books.profiles.forget(workerId));
    announcements.on('announcements:missed', () => {
      books.profiles.forgetAll();
      expectation.expectJobs();
      this.roomFound();
    });
  }

  private roomFound(): void {
    this.expectation.expectRoom();
    if (this.expectation.isWorthALook) this.loop.wake();
  }

  private async dispatch(): Promise<void> {
    let mayGrantMore = true;
    while (mayGrantMore && this.sessions.size > 0) mayGrantMore = await this.turn();
  }

  /** True when another turn may find more to grant. */
  private async turn(): Promise<boolean> {
    const lane = this.database.lane('dispatch');
    const found = this.expectation.beginLook();
    const seen = await look(lane, this.books, { workerIds: this.sessions.workerIds(), replicaId: this.replicaId });
    if (seen.plan.wanted.length === 0) {
      found(leftOf(seen, 0));
      return false;
    }
    const request = { plan: seen.plan, replicaId: this.replicaId, context: this.context() };
    const claimed = await lane.transaction((transaction) => claim(transaction, request));
    const granted = claimed.decision.attempts.length;
    const left = leftOf(seen, granted);
    found(left);
    this.notices.deliver(claimed.decision.notices, claimed.slice);
    // One that was there a moment ago may have been the only one chosen.
    const isSomebodyGone = claimed.slice.workers.size < seen.plan.workerIds.length;
    return left.room && (isSomebodyGone || (claimed.mayHoldMore && granted > 0));
  }

  private context(): { workerTimeoutMs: number; beatIntervalMs: number; offerTtlMs: number } {
    const { workerTimeoutMs, offerTtlMs } = this.config;
    return { workerTimeoutMs, beatIntervalMs: this.fleet.beatIntervalMs(), offerTtlMs };
  }
}

/** Without room nobody looked for jobs. */
function leftOf({ room, lanes }: Look, granted: number): { readonly jobs: boolean; readonly room: boolean } {
  const places = room.reduce((sum, { slots, held }) => sum + slots - held, 0);
  const waiting = lanes.reduce((sum, lane) => sum + lane.waiting, 0);
  return { jobs: places === 0 || waiting > granted, room: places > granted };
}
