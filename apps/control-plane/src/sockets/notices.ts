import { Inject, Injectable } from '@nestjs/common';
import type { Notice, Slice } from '@muster/domain';
import type { DisconnectReason, Offer, WorkerId } from '@muster/protocol';
import { Announcements } from '../announcements.js';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../core.module.js';
import { WaitingClaims } from '../http-workers/waiting-claims.js';
import { ReplicaChannel, type AgentNotice } from '../replicas/replica-channel.js';
import { AgentSessions } from './agent-sessions.js';

/** Says what a committed decision wants said: to the socket if it is here, else to the replica that holds it. */
@Injectable()
export class Notices {
  constructor(
    private readonly sessions: AgentSessions,
    private readonly waiting: WaitingClaims,
    private readonly channel: ReplicaChannel,
    private readonly announcements: Announcements,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  /**
   * @param slice the rows as they were committed; offers are made from them
   * @param isRoomTaken whatever became free is filled already
   */
  deliver(notices: readonly Notice[], slice: Slice, isRoomTaken = false): void {
    for (const notice of notices) {
      switch (notice.kind) {
        case 'offer':
          this.offer(notice, slice);
          break;
        case 'wakeDispatch':
          this.wakeDispatch(slice, isRoomTaken);
          break;
        case 'jobChanged':
          this.announcements.announce('job:changed', { jobId: notice.jobId, status: notice.status });
          break;
        case 'command':
        case 'withdraw':
          if (!this.deliverHere(notice)) this.channel.tellOthers(notice);
          break;
        case 'closeSession':
          // Everywhere: an older start of the agent may be connected to any replica.
          this.deliverHere(notice);
          this.channel.tellOthers(notice);
          break;
      }
    }
  }

  /** A room on workers that are all connected here concerns nobody else. */
  private wakeDispatch(slice: Slice, isRoomTaken: boolean): void {
    const { announcements, sessions } = this;
    const queued = [...slice.jobs.values()].filter((job) => job.status === 'queued');
    if (queued.some((job) => job.notBeforeMs === null)) announcements.announce('dispatch:queued', {});
    if (queued.some((job) => job.notBeforeMs !== null)) announcements.announce('dispatch:backoff', {});
    if (isRoomTaken) return;
    const isOurs = [...slice.workers.keys()].every((id) => sessions.get(id)) && [...slice.attempts.values()].every(({ workerId }) => sessions.get(workerId));
    if (isOurs) announcements.tell('dispatch:room', {});
    else announcements.announce('dispatch:room', {});
  }

  /** True when the agent is connected here; also called for what other replicas want said. */
  deliverHere(notice: AgentNotice): boolean {
    if (notice.kind === 'closeSession') this.waiting.endOlder(notice.workerId, notice.session, toldWhile(notice.reason));
    const session = this.sessions.get(notice.workerId);
    if (!session) return false;
    if (notice.kind === 'command') session.send('attempt:command', { ...notice.ref, command: notice.command });
    else if (notice.kind === 'withdraw') session.send('attempt:withdraw', notice.ref);
    else if (session.session <= notice.session) session.close(notice.reason);
    return true;
  }

  private offer(notice: Extract<Notice, { kind: 'offer' }>, slice: Slice): void {
    const attempt = slice.attempts.get(notice.attemptId);
    const job = attempt && slice.jobs.get(attempt.jobId);
    // Not here any more: the offer's lease ends and the job goes back to the queue.
    if (!job) return;
    const { id: attemptId, epoch, number, gpus } = attempt;
    this.sendOffer(notice, { attemptId, epoch, jobId: job.id, number, spec: job.spec, gpus });
  }

  /** Nothing happens when this start of the worker's agent is not connected here, any more. */
  sendOffer({ workerId, session }: { readonly workerId: WorkerId; readonly session: number }, offer: Omit<Offer, 'offerTtlMs'>): void {
    const here = this.sessions.get(workerId);
    if (here?.session === session) here.send('attempt:offer', { ...offer, offerTtlMs: this.config.offerTtlMs });
  }
}

/** What a request that waits for a job is told when the session ends by which it was made. */
function toldWhile(reason: DisconnectReason): 'superseded' | 'removed' | 'keyRevoked' {
  return reason === 'removed' || reason === 'keyRevoked' ? reason : 'superseded';
}
