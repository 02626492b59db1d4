/** What each command does to the model, and what the control plane has to answer. */
import type { AttemptId, EndAck, JobAction, Outcome, Refusal, StartAck, Verdict } from '@muster/protocol';
import { afterFailure, afterLoss, backToQueue, end, expire, finish, giveBack, isAbsence, isLeaseOver, leaseFrom, leaseMsOf, lose, mayReturn, meantBy, takeBackLoss } from './rules.js';
import { gpusFor, heldGpus, slotsNotHeldBack, withhold } from './room.js';
import { judge } from './verdicts.js';
import { pursue } from './drains.js';
import { isFinal, isLive, isStarted, isWitness, SECONDS, type Attempt, type Execution, type Job, type Submission, type Worker } from './state.js';

export type Ordered = 'done' | 'illegal';
export interface Reported {
  readonly outcome: Outcome;
  readonly exitCode: number | null;
}

export class Model {
  now = 0;
  private unseen = 0;
  readonly jobs: Job[] = [];
  readonly workers: Worker[];
  readonly submissions: Submission[] = [];

  /** @param lookEvery commands from one look at everything to the next: looking takes longer than doing */
  constructor(
    seats: readonly Pick<Worker, 'slots' | 'gpus'>[],
    private readonly lookEvery: number,
  ) {
    this.workers = seats.map((seat, index) => newWorker(seat, index));
  }

  /** Another machine stands where that worker was; what it held still names the one that is gone. */
  replace(worker: Worker): void {
    const seat = { slots: worker.slotsSaid, gpus: worker.gpus };
    this.workers[worker.index] = { ...newWorker(seat, worker.index), isKeyRevoked: worker.isKeyRevoked };
  }

  /** Asked after each command: whether the real thing is to be held against the model now. */
  isLookedAt(): boolean {
    this.unseen += 1;
    // A backoff must be read while it is what it was drawn as.
    const isDue = this.unseen >= this.lookEvery || this.jobs.some(({ backoffUntil }) => backoffUntil === 'untold');
    if (isDue) this.unseen = 0;
    return isDue;
  }

  get attempts(): Attempt[] {
    return this.jobs.flatMap((job) => job.attempts);
  }

  attempt(id: AttemptId): Attempt | undefined {
    return this.attempts.find((attempt) => attempt.id === id);
  }

  liveOf(worker: Worker): Attempt[] {
    return this.attempts.filter((attempt) => attempt.worker === worker && isLive(attempt));
  }

  /** In the order in which they go: priority, then age. */
  get due(): Job[] {
    const waiting = this.jobs.filter((job) => job.status === 'queued' && job.desired === 'run' && (job.backoffUntil === null || this.isOver(job.backoffUntil)));
    return waiting.sort((left, right) => right.priority - left.priority || (left.id < right.id ? -1 : 1));
  }

  private isOver(moment: number | 'untold'): boolean {
    return moment !== 'untold' && moment <= this.now;
  }

  /** A worker was chosen by the control plane; whether it may choose that one is looked at by the run. */
  offer(job: Job, worker: Worker, id: AttemptId): void {
    const gpus = gpusFor(this, worker, job);
    job.epoch += 1;
    const number = job.attempts.length + 1;
    const attempt: Attempt = {
      id, job, worker, number, epoch: job.epoch, state: 'offered', gpus, outcome: null, exitCode: null,
      leaseUntil: this.now + SECONDS.offer, isDoubted: false, grantedTo: null, log: { text: '' },
    };
    job.attempts.push(attempt);
    Object.assign(job, { status: 'assigned', reason: null, current: attempt, backoffUntil: null });
  }

  private held(worker: Worker, id: AttemptId, epoch: number): Attempt | undefined {
    const attempt = this.attempt(id);
    const isHeld = attempt?.worker === worker && attempt.epoch === epoch && isLive(attempt) && attempt.job.current === attempt;
    return isHeld ? attempt : undefined;
  }

  start(worker: Worker, id: AttemptId, epoch: number): StartAck {
    const attempt = this.held(worker, id, epoch);
    if (!attempt) return { kind: 'no', reason: this.attempt(id)?.outcome === 'cancelled' ? 'cancelled' : 'superseded' };
    const { job } = attempt;
    if (!isWitness(attempt, worker)) return { kind: 'no', reason: 'superseded' };
    if (job.desired === 'cancel') return { kind: 'no', reason: 'cancelled' };
    if (isLeaseOver(attempt, this.now)) return { kind: 'no', reason: 'expired' };
    if (attempt.state === 'paused' || attempt.state === 'finalizing') return { kind: 'no', reason: 'superseded' };
    attempt.leaseUntil = leaseFrom(job, this.now);
    if (attempt.state === 'offered') {
      attempt.state = 'running';
      attempt.grantedTo = worker.starts;
      Object.assign(job, { status: 'running', reason: null, hasStarted: true });
    }
    return { kind: 'go', leaseMs: leaseMsOf(job) };
  }

  refuse(worker: Worker, id: AttemptId, epoch: number, reason: Refusal): void {
    const attempt = this.held(worker, id, epoch);
    if (!attempt || (attempt.state !== 'offered' && attempt.state !== 'running')) return;
    if (!isWitness(attempt, worker)) return;
    giveBack(attempt);
    if (reason === 'noSlot') worker.usableSlots = Math.min(worker.usableSlots, this.liveOf(worker).length);
    if (reason === 'draining') worker.takesNoOffers = true;
  }

  /** The attempt a message names, or the one that was granted to go on with the same process. */
  termOf(worker: Worker, id: AttemptId, epoch: number): Attempt | undefined {
    const attempt = this.attempt(id);
    if (attempt?.worker !== worker || attempt.epoch !== epoch) return undefined;
    const newest = attempt.job.attempts.at(-1);
    return newest?.log === attempt.log && newest.worker === worker ? newest : attempt;
  }

  end(worker: Worker, id: AttemptId, epoch: number, told: Reported): EndAck {
    const attempt = this.termOf(worker, id, epoch);
    if (!attempt) return { kind: 'superseded' };
    if (isAbsence(told) && !isWitness(attempt, worker)) {
      attempt.isDoubted ||= isStarted(attempt);
      return { kind: 'superseded' };
    }
    if (attempt.state === 'offered') return this.endOffer(attempt, told);
    if (!isLive(attempt)) {
      if (attempt.outcome === told.outcome || attempt.outcome === meantBy(attempt.job, told)) return { kind: 'repeated' };
      if (!mayReturn(attempt)) return { kind: 'superseded' };
      takeBackLoss(attempt.job, false);
    }
    if (told.outcome === 'unkillable') withhold(worker, attempt);
    const outcome = meantBy(attempt.job, told);
    end(attempt, outcome, told.exitCode);
    this.follow(attempt.job, { ...told, outcome });
    return { kind: 'accepted' };
  }

  /** It never began, so it never will. */
  private endOffer(attempt: Attempt, { outcome }: Reported): EndAck {
    if (outcome !== 'refused') return { kind: 'superseded' };
    giveBack(attempt);
    return { kind: 'accepted' };
  }

  private follow(job: Job, { outcome, exitCode }: Reported): void {
    if (outcome === 'succeeded') return finish(job, 'completed', 'succeeded', exitCode);
    if (outcome === 'unkillable') return finish(job, 'failed', 'unkillable', exitCode);
    if (job.desired === 'cancel' || outcome === 'cancelled') return finish(job, 'cancelled', 'cancelledByUser', exitCode);
    if (outcome === 'lost') {
      job.epoch += 1;
      return afterLoss(job, true, exitCode);
    }
    if (outcome === 'stopped' && job.policy === 'never') return finish(job, 'failed', 'workerStopped', exitCode);
    if (outcome === 'stopped' || outcome === 'refused') return backToQueue(job, 'now');
    return afterFailure(job, outcome === 'timedOut' ? 'timedOut' : 'nonZeroExit', exitCode);
  }

  hello(worker: Worker, listed: readonly Execution[], isNewStart: boolean): Verdict[] {
    Object.assign(worker, { isSynced: true, link: 'connected', lastBeat: this.now });
    if (isNewStart) worker.starts += 1;
    worker.usableSlots = Math.min(isNewStart ? worker.slotsSaid : worker.usableSlots, worker.slots);
    const verdicts = listed.map((execution) => judge(this, worker, execution));
    worker.heldGpus = heldGpus(this, worker, listed, verdicts);
    const named = new Set(listed.map(({ attemptId, epoch }) => this.termOf(worker, attemptId, epoch)));
    for (const attempt of isNewStart ? this.liveOf(worker) : []) {
      if (named.has(attempt)) continue;
      if (attempt.state === 'offered') giveBack(attempt);
      else if (attempt.job.policy !== 'exclusive') lose(attempt, false);
      else attempt.isDoubted = true;
    }
    return verdicts;
  }

  beat(worker: Worker, listed: readonly Execution[], wish: { readonly slotsFree: number; readonly paused: boolean }): Verdict[] {
    const verdicts = listed.map((execution) => judge(this, worker, execution));
    Object.assign(worker, {
      link: 'connected', lastBeat: this.now, takesNoOffers: wish.paused, heldGpus: heldGpus(this, worker, listed, verdicts),
      usableSlots: Math.min(worker.slots, wish.slotsFree + slotsNotHeldBack(this, worker, listed, verdicts)),
    });
    return verdicts;
  }

  cancel(job: Job, isForced: boolean): Ordered {
    if (job.status === 'cancelled') return 'done';
    if (isFinal(job)) return 'illegal';
    if (job.desired === 'cancel' && (job.isForced || !isForced)) return 'done';
    job.desired = 'cancel';
    job.isForced ||= isForced;
    const attempt = job.current;
    if (attempt && isStarted(attempt)) {
      job.reason = 'cancelling';
    } else {
      if (attempt) end(attempt, 'cancelled');
      if (attempt) job.epoch += 1;
      finish(job, 'cancelled', 'cancelledByUser');
    }
    return 'done';
  }

  pause(job: Job): Ordered {
    if (isFinal(job) || job.desired === 'cancel') return 'illegal';
    if (job.desired === 'pause') return 'done';
    job.desired = 'pause';
    const attempt = job.current;
    if (attempt && isStarted(attempt)) return 'done';
    if (attempt) end(attempt, 'superseded');
    if (attempt) job.epoch += 1;
    Object.assign(job, { status: 'paused', current: null });
    return 'done';
  }

  resume(job: Job): Ordered {
    if (isFinal(job) || job.desired === 'cancel') return 'illegal';
    if (job.desired === 'run') return 'done';
    job.desired = 'run';
    if (!job.current) Object.assign(job, { status: 'queued', inLineSince: this.now });
    return 'done';
  }

  /** A person stops waiting for a worker that does not answer. */
  giveUp(job: Job, action: 'requeue' | 'abandon'): Ordered {
    if (!job.current || !this.allowedActions(job).includes(action)) return 'illegal';
    end(job.current, 'superseded');
    job.epoch += 1;
    if (action === 'requeue') backToQueue(job, 'now');
    else finish(job, job.desired === 'cancel' ? 'cancelled' : 'failed', 'abandoned');
    return 'done';
  }

  allowedActions(job: Job): JobAction[] {
    if (isFinal(job)) return [];
    const isHeld = job.current !== null && job.status !== 'assigned';
    const isUnreachable = isHeld && job.current?.worker.link === 'unreachable';
    const actions: [JobAction, boolean][] = [
      ['cancel', job.desired !== 'cancel'],
      ['pause', job.desired === 'run'],
      ['resume', job.desired === 'pause'],
      ['forceCancel', isHeld && !(job.desired === 'cancel' && job.isForced)],
      ['requeue', isUnreachable && job.policy !== 'exclusive' && job.desired !== 'cancel'],
      ['abandon', isUnreachable],
    ];
    return actions.filter(([, isAllowed]) => isAllowed).map(([action]) => action).sort();
  }

  /** The length stored afterwards, or that the log is none of the worker's. */
  append(worker: Worker, attempt: Attempt, offset: number, text: string): { storedLength: number } | { gone: true } {
    if (attempt.worker !== worker) return { gone: true };
    if (offset === attempt.log.text.length) attempt.log.text += text;
    return { storedLength: attempt.log.text.length };
  }

  /** Nobody says anything for so long; then whatever is due happens. */
  pass(seconds: number): void {
    this.now += seconds;
    for (const worker of this.workers) this.worsen(worker, false);
    for (const attempt of this.attempts) if (isLive(attempt) && isLeaseOver(attempt, this.now)) expire(attempt);
    for (const job of this.jobs) {
      const isLate = job.policy === 'hurried' && job.status === 'queued' && !job.hasStarted && job.inLineSince + SECONDS.queue <= this.now;
      if (isLate) finish(job, 'failed', 'queueTimeout');
    }
    for (const worker of this.workers) pursue(this, worker);
  }

  setSlots(worker: Worker, slots: number | null): void {
    worker.slots = slots ?? worker.slotsSaid;
    worker.usableSlots = Math.min(worker.usableSlots, worker.slots);
  }

  socketClosed(worker: Worker): void {
    worker.isSynced = false;
    this.worsen(worker, true);
  }

  private worsen(worker: Worker, isSocketClosed: boolean): void {
    const silence = this.now - worker.lastBeat;
    const { link } = worker;
    if (silence >= SECONDS.workerTimeout) worker.link = 'unreachable';
    else if (worker.link === 'connected' && (isSocketClosed || silence >= SECONDS.suspect)) worker.link = 'suspect';
    if (worker.link !== link) for (const attempt of this.liveOf(worker)) attempt.isDoubted = isStarted(attempt);
  }
}

function newWorker({ slots, gpus }: Pick<Worker, 'slots' | 'gpus'>, index: number): Worker {
  return {
    index, slots, slotsSaid: slots, order: null, gpus, stuckGpus: [], heldGpus: [], id: null, isSynced: false, link: 'unreachable', lastBeat: 0,
    usableSlots: slots, takesNoOffers: false, isKeyRevoked: false, starts: 0, disk: [], hasGhost: false,
  };
}
