import { Inject, Injectable } from '@nestjs/common';
import { Loop, type Logger } from '@muster/runtime';
import type { AttemptId, JobId, Offer, WorkerId } from '@muster/protocol';
import { Announcements } from '../announcements.js';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG, LOGGER, REPLICA_ID } from '../core.module.js';
import type { Connection } from '../database/connection-pool.js';
import { Database } from '../database/database.js';
import { isUnavailable } from '../database/database-errors.js';
import { Fleet } from '../replicas/fleet.js';
import { AgentSessions } from '../sockets/agent-sessions.js';
import { Notices } from '../sockets/notices.js';
import type { Claimed } from './claim.js';
import { OFFERS_OPEN, BACKOFFS_END } from './dispatch.sql.js';
import { LaneBook } from './lane-book.js';
import { takeTurn } from './turn.js';

type OfferRow = Pick<Offer, 'epoch' | 'number' | 'spec' | 'gpus'> & { attempt_id: AttemptId; job_id: JobId };

/** The truth when no word of a new job arrived: also how late a job that waited out its pause may start. */
const POLL_MS = 1_500;

/**
 * Gives queued jobs to the agents connected to this replica. Woken by whoever made a job or a slot free, here or on
 * another replica, and by a slow poll. One turn at a time; it takes another at once while it finds something to grant.
 */
@Injectable()
export class Dispatcher {
  private readonly lanes = new LaneBook();
  private readonly loop: Loop;

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
    this.loop = new Loop({
      name: 'dispatch',
      intervalMs: POLL_MS,
      run: () => this.dispatch(),
      onError: (error, failures) => {
        // While PostgreSQL is away every turn fails: said once, not every second.
        if (failures === 1 || !isUnavailable(error)) log.warn({ err: error }, 'dispatch failed');
      },
    });
    for (const name of ['dispatch:wanted', 'announcements:missed'] as const) announcements.on(name, () => this.loop.wake());
  }

  start(): void {
    this.loop.start();
  }

  /** Resolves when the running turn has ended; what it granted was offered. */
  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** There may be something to dispatch: call it after the commit that made it so. Tells the other replicas too. */
  wake(): void {
    this.announcements.announce('dispatch:wanted', {});
  }

  /**
   * A worker has just connected here: what was offered on a connection before and is not taken yet is offered on this one,
   * and a turn may find more for it. An agent knows an offer that it hears twice.
   */
  async offerAgain(workerId: WorkerId): Promise<void> {
    this.loop.wake();
    const offers = await this.database.control.query<OfferRow>(OFFERS_OPEN, [workerId]);
    for (const { attempt_id: attemptId, job_id: jobId, ...rest } of offers) this.notices.sendOffer(workerId, { attemptId, jobId, ...rest });
  }

  /** One whole turn; resolves when nothing more can be granted. */
  tick(): Promise<void> {
    return this.loop.tick();
  }

  private async dispatch(): Promise<void> {
    while (this.sessions.size > 0) {
      await this.database.lane('dispatch').execute(BACKOFFS_END);
      const claimed = await this.database.lane('dispatch').transaction((connection) => this.turn(connection));
      if (!claimed) return;
      this.notices.deliver(claimed.decision.notices, claimed.slice);
      if (!claimed.mayGrantMore) return;
    }
  }

  private turn(connection: Connection): Promise<Claimed | undefined> {
    const context = {
      workerTimeoutMs: this.config.workerTimeoutMs,
      beatIntervalMs: this.fleet.beatIntervalMs(),
      offerTtlMs: this.config.offerTtlMs,
    };
    return takeTurn(connection, this.lanes, { workerIds: this.sessions.workerIds(), replicaId: this.replicaId, context });
  }
}
