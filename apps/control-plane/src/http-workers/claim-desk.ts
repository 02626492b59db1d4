import { Inject, Injectable } from '@nestjs/common';
import { offerTermMs, type SenderRefused } from '@muster/domain';
import type { ClaimView, ExecutionReport, Verdict, WorkerId } from '@muster/protocol';
import type { Clock, Logger } from '@muster/runtime';
import { Announcements } from '../announcements.js';
import type { ControlPlaneConfig } from '../config.js';
import { CLOCK, CONFIG, LOGGER } from '../core.module.js';
import { isUnavailable } from '../database/database-errors.js';
import { Dispatcher } from '../dispatch/dispatcher.js';
import type { Credential } from '../keys/credential.js';
import { JobTokens } from '../keys/job-tokens.js';
import { Fleet } from '../replicas/fleet.js';
import { WorkerDesk, type Sender } from '../worker-life/worker-desk.js';
import { tooManyClaims } from './refusals.js';
import { WaitingClaims, type Grant } from './waiting-claims.js';
import { isSenderRefused } from './worker-place.js';

/** A worker asks for a job. */
export interface ClaimRequest extends Sender, Credential {
  /** Until when it waits for one, on the monotonic clock; when that is past, it is looked once, now. */
  readonly untilMs: number;
  /** What it has meanwhile: renewed, as by a beat. */
  readonly executions: readonly ExecutionReport[];
}
export type Claim = { readonly kind: 'claimed'; readonly claim: ClaimView } | { readonly kind: 'nothing' } | SenderRefused;

/** What one of the requests of a worker that wait here has said for it, and whether it may still be given a job. */
interface Sign {
  readonly words: string;
  readonly atMs: number;
  readonly isAllowed: Promise<boolean>;
}

const NOTHING: Claim = { kind: 'nothing' };
/** Before who cannot be given a job is told so, that it does not ask again at once. */
const PAUSE_MS = 1_000;

/**
 * Jobs for workers that ask. While a request waits the dispatcher of this replica may grant its worker one; what it grants is an
 * offer like any other, and goes back to the queue when it is not started within its term, or at once when nobody waits for
 * the answer any more.
 */
@Injectable()
export class ClaimDesk {
  private isStopping = false;
  /** Of the workers whose requests wait here. */
  private readonly signs = new Map<WorkerId, Sign>();

  constructor(
    private readonly desk: WorkerDesk,
    private readonly waiting: WaitingClaims,
    private readonly dispatcher: Dispatcher,
    private readonly tokens: JobTokens,
    private readonly fleet: Fleet,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
    announcements: Announcements,
  ) {
    waiting.onReturned((sender, grant) => this.giveBack(sender, grant));
    announcements.on('key:revoked', ({ keyId }) => waiting.endOfKey(keyId));
  }

  /**
   * Asking is a sign of life, and so is waiting: the worker counts as heard for as long as its request is here.
   *
   * @throws Refusal 429 when too many requests of the worker wait already
   * @param gone aborts when nobody waits for the answer any more
   */
  async claim(request: ClaimRequest, gone: AbortSignal): Promise<Claim> {
    const { workerId, session, keyId, secretNumber, executions } = request;
    const sender = { workerId, session };
    const heard = await this.desk.renew(sender, executions);
    if (isSenderRefused(heard)) return heard;
    if (gone.aborted || this.isStopping) return NOTHING;
    if (hasToStop(heard.verdicts, executions)) {
      // Its next heartbeat tells it what; asked again at once it would be in the same place.
      await this.clock.sleep(Math.min(this.leftMs(request), PAUSE_MS), gone).catch(() => undefined);
      return NOTHING;
    }
    if (!this.waiting.hasPlaceFor(workerId)) throw tooManyClaims();
    const { outcome, stop } = this.waiting.wait({ workerId, session, keyId, secretNumber });
    const over = new AbortController();
    gone.addEventListener('abort', stop, { once: true });
    const limit = this.wait(request, over.signal).catch(() => undefined).finally(stop);
    const ended = await outcome;
    gone.removeEventListener('abort', stop);
    over.abort();
    await limit;
    if (!this.waiting.isAsking(workerId)) this.signs.delete(workerId);
    if (ended.kind === 'nothing') return NOTHING;
    if (ended.kind !== 'granted') return { kind: 'senderRefused', reason: ended.kind };
    return this.handOver(sender, ended.grant, gone);
  }

  /** Sends away who waits; from now on nobody does. */
  close(): void {
    this.isStopping = true;
    this.waiting.endAll();
  }

  /** Resolves when the wait has taken long enough; shows meanwhile that the worker lives. */
  private async wait(request: ClaimRequest, over: AbortSignal): Promise<void> {
    if (this.leftMs(request) === 0) return this.dispatcher.tick();
    for (;;) {
      const leftMs = this.leftMs(request);
      if (leftMs === 0) return;
      await this.clock.sleep(Math.min(leftMs, this.fleet.beatIntervalMs()), over);
      if (this.leftMs(request) > 0 && !(await this.showAlive(request))) return;
    }
  }

  private leftMs({ untilMs }: ClaimRequest): number {
    return Math.max(0, untilMs - this.clock.monotonicMs());
  }

  /**
   * Requests of one worker that would say the same at about the same time say it once: they may be hundreds.
   *
   * @returns false when it must not be given a job any more
   */
  private showAlive(request: ClaimRequest): Promise<boolean> {
    const words = JSON.stringify([request.session, request.executions]);
    const atMs = this.clock.monotonicMs();
    const last = this.signs.get(request.workerId);
    if (last?.words === words && atMs - last.atMs < this.fleet.beatIntervalMs() / 2) return last.isAllowed;
    const isAllowed = this.sayAlive(request);
    this.signs.set(request.workerId, { words, atMs, isAllowed });
    return isAllowed;
  }

  private async sayAlive({ workerId, session, executions }: ClaimRequest): Promise<boolean> {
    const heard = await this.desk.renew({ workerId, session }, executions).catch((error: unknown) => {
      if (!isUnavailable(error)) this.log.error({ err: error, workerId }, 'waiting worker not renewed');
      return undefined;
    });
    if (heard === undefined) return true;
    if (!isSenderRefused(heard)) return !hasToStop(heard.verdicts, executions);
    this.waiting.endOlder(workerId, session, heard.reason === 'notSynced' ? 'superseded' : heard.reason);
    return false;
  }

  private async handOver(sender: Sender, grant: Grant, gone: AbortSignal): Promise<Claim> {
    const { attemptId, jobId, epoch, number, gpus, spec } = grant;
    const { name, labels, priority } = spec;
    try {
      const jobToken = await this.tokens.mint(attemptId);
      if (!gone.aborted) {
        const attempt = { id: attemptId, jobId, epoch, number, gpus, offerTtlMs: offerTermMs({ spec }, this.config) };
        return { kind: 'claimed', claim: { job: { id: jobId, name, labels, priority, spec }, attempt, jobToken } };
      }
    } catch (error) {
      this.giveBack(sender, grant);
      throw error;
    }
    this.giveBack(sender, grant);
    return NOTHING;
  }

  /** Nobody will start it: it need not wait for the end of its term. When this fails, it does. */
  private giveBack(sender: Sender, { attemptId, epoch }: Grant): void {
    const detail = 'the program that asked for a job was gone before it was given one';
    this.desk.refuse(sender, { attemptId, epoch, reason: 'noAnswer', detail }).catch((error: unknown) => {
      if (!isUnavailable(error)) this.log.error({ err: error, attemptId }, 'job not given back');
    });
  }
}

/**
 * Whether something runs there that has no lease: it holds a slot and GPUs which nobody counts, and which a grant could give
 * away a second time.
 */
function hasToStop(verdicts: readonly Verdict[], executions: readonly ExecutionReport[]): boolean {
  return verdicts.some(({ kind }, index) => (kind === 'stop' || kind === 'unleased') && executions[index]?.state !== 'exited');
}
