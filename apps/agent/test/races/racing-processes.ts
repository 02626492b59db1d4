/**
 * The process side by its contract (`ExecutionManager`), without processes: each of its steps ends when the scheduler lets
 * it. It notes when it is asked for what must never be asked.
 */
import type { AttemptId, AttemptRef } from '@muster/protocol';
import { NoFreeSlot, UnknownExecution, WrongPhase } from '../../src/execution/execution-errors.js';
import { ExecutionAnnouncer } from '../../src/execution/execution-announcer.js';
import type {
  ExecutionEnd,
  ExecutionEvents,
  ExecutionId,
  ExecutionManager,
  ExecutionOffer,
  ExecutionPaths,
  ExecutionView,
  SlotCount,
  StartGrant,
  StopRequest,
} from '../../src/execution/execution-types.js';
import { CAPABILITIES } from '../connection/runtime-harness.js';
import type { Track } from './track.js';

interface Held {
  view: ExecutionView;
  readonly terms: AttemptId[];
  hasProcess: boolean;
  isAlive: boolean;
  isStopped: boolean;
  isStarted: boolean;
}

export interface RacingProcessesOptions {
  readonly track: Track;
  readonly slots: number;
  readonly monotonicMs: () => number;
  readonly isGranted: (attemptId: AttemptId) => boolean;
  readonly isDrained: (attemptId: AttemptId) => boolean;
}

export class RacingProcesses implements ExecutionManager {
  readonly capabilities = CAPABILITIES;
  private readonly announcer = new ExecutionAnnouncer({
    debug() {},
    info() {},
    warn() {},
    error: (fields) => this.options.track.broken(`a listener failed: ${String(fields['error'])}`),
  });
  private readonly held = new Map<ExecutionId, Held>();
  private readonly begun = new Set<AttemptId>();
  private count = 0;
  /** Directories that cannot be made from now on. */
  intentsToFail = 0;
  /** From now on a process ends by itself. */
  areShort = false;

  private total: number;

  constructor(private readonly options: RacingProcessesOptions) {
    this.total = options.slots;
  }

  recover(): Promise<[]> {
    return Promise.resolve([]);
  }

  async accept(offer: ExecutionOffer): Promise<ExecutionId> {
    this.options.track.ordered('an intent');
    if (this.slots().free <= 0) throw new NoFreeSlot(this.total);
    const id = `exe-${(this.count += 1)}` as ExecutionId;
    const { attemptId, epoch, jobId, spec } = offer;
    const view: ExecutionView = {
      executionId: id,
      ref: { attemptId, epoch },
      jobId,
      spec,
      gpus: [],
      phase: 'accepted',
      stopping: null,
      end: null,
    };
    const one: Held = {
      view,
      terms: [attemptId],
      hasProcess: false,
      isAlive: false,
      isStopped: false,
      isStarted: false,
    };
    this.held.set(id, one);
    await this.options.track.step(`intent of ${attemptId} is written`);
    if (this.intentsToFail > 0) {
      this.intentsToFail -= 1;
      this.held.delete(id);
      throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    }
    return id;
  }

  async start(id: ExecutionId, { notAfterMs = Infinity }: StartGrant = {}): Promise<void> {
    const { track, monotonicMs, isGranted } = this.options;
    const one = this.get(id);
    track.ordered('a start');
    const name = one.view.ref.attemptId;
    if (one.isStopped) track.broken(`${name} is started after it was stopped`);
    if (one.isStarted) track.broken(`${name} is started twice`);
    if (!isGranted(name)) track.broken(`${name} is started without a grant`);
    one.isStarted = true;
    if (one.view.phase !== 'accepted' || one.isStopped) return;
    one.view = { ...one.view, phase: 'running' };
    await track.step(`${name} is prepared`);
    if (one.isStopped) return this.conclude(one, one.view.stopping ?? 'cancelled');
    if (monotonicMs() > notAfterMs) return this.conclude(one, 'refused');
    if (this.begun.has(name)) track.broken(`${name} has two processes`);
    this.begun.add(name);
    Object.assign(one, { hasProcess: true, isAlive: true });
    track.count('processes');
    this.announcer.emit('running', one.view);
    if (this.areShort) void this.exit(one);
  }

  async stop(id: ExecutionId, { reason }: StopRequest): Promise<void> {
    const one = this.get(id);
    this.options.track.ordered('a stop');
    const hadStarted = one.view.phase !== 'accepted';
    if (one.view.phase === 'exited' || one.isStopped) return;
    one.isStopped = true;
    one.view = { ...one.view, stopping: reason };
    await this.options.track.step(`stop of ${one.view.ref.attemptId} is recorded`);
    if (!hadStarted) return this.conclude(one, reason);
    // Before its process is made, the start itself sees the wish.
    if (one.isAlive) void this.exit(one);
  }

  async freeze(id: ExecutionId): Promise<void> {
    const one = this.get(id);
    if (one.view.phase === 'paused') return;
    if (one.view.phase !== 'running' || one.isStopped) throw new WrongPhase(id, one.view.phase, 'stand still');
    await this.options.track.step(`${one.view.ref.attemptId} freezes`);
    if (one.isStopped || one.view.phase !== 'running') return;
    one.view = { ...one.view, phase: 'paused' };
    this.options.track.count('frozen');
    this.announcer.emit('paused', one.view);
  }

  async thaw(id: ExecutionId): Promise<void> {
    const one = this.get(id);
    if (one.view.phase !== 'paused') return;
    await this.options.track.step(`${one.view.ref.attemptId} thaws`);
    if (one.view.phase !== 'paused') return;
    one.view = { ...one.view, phase: 'running' };
    this.options.track.count('thawed');
    this.announcer.emit('resumed', one.view);
  }

  async setDeadline(id: ExecutionId): Promise<void> {
    this.get(id);
    await this.options.track.step('a deadline is written');
  }

  async rebind(id: ExecutionId, ref: AttemptRef): Promise<void> {
    const one = this.get(id);
    await this.options.track.step(`the term ${ref.attemptId} is written`);
    one.view = { ...one.view, ref };
    one.terms.push(ref.attemptId);
  }

  async discard(id: ExecutionId): Promise<void> {
    const { track, isDrained } = this.options;
    const one = this.get(id);
    const { phase } = one.view;
    if (phase === 'running' || phase === 'paused') track.broken(`${one.terms[0]} is forgotten while it runs`);
    if (one.hasProcess && !track.isSettled(one.terms))
      track.broken(`${one.terms[0]} is forgotten before its end was heard`);
    if (one.hasProcess && !isDrained(one.terms[0] as AttemptId))
      track.broken(`${one.terms[0]} is forgotten before its log was stored`);
    this.held.delete(id);
    await track.step(`${one.terms[0]} is removed`);
  }

  /** Every process that may end by itself does, some time from now. */
  finishAll(): void {
    this.areShort = true;
    for (const one of this.held.values()) if (one.isAlive) void this.exit(one);
  }

  view(id: ExecutionId): ExecutionView {
    return this.get(id).view;
  }

  list(): readonly ExecutionView[] {
    return [...this.held.values()].map(({ view }) => view);
  }

  find(): null {
    return null;
  }

  paths(): ExecutionPaths {
    return { directory: '', logs: {}, metrics: '', progress: '' };
  }

  setSlots(slots: number): void {
    this.total = slots;
  }

  slots(): SlotCount {
    const { total } = this;
    return { total, free: total - this.list().filter(({ phase }) => phase !== 'exited').length, quarantined: 0 };
  }

  on<E extends keyof ExecutionEvents>(event: E, listener: ExecutionEvents[E]): void {
    this.announcer.on(event, listener);
  }

  off<E extends keyof ExecutionEvents>(event: E, listener: ExecutionEvents[E]): void {
    this.announcer.off(event, listener);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private get(id: ExecutionId): Held {
    const one = this.held.get(id);
    if (!one) throw new UnknownExecution(id);
    return one;
  }

  private async exit(one: Held): Promise<void> {
    await this.options.track.step(`${one.view.ref.attemptId} exits`);
    // A frozen tree ends only when it is told to; its stop thaws it.
    if (one.view.phase === 'paused' && !one.isStopped && !this.areShort) return;
    if (one.isAlive) await this.conclude(one, one.view.stopping ?? 'succeeded');
  }

  private async conclude(one: Held, outcome: ExecutionEnd['outcome']): Promise<void> {
    if (one.view.end) return;
    one.isAlive = false;
    const usage = { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null };
    const end: ExecutionEnd = {
      outcome,
      exit: null,
      detail: null,
      usage,
      leftovers: 0,
      containment: 'group',
      ranMs: null,
    };
    one.view = { ...one.view, end };
    await this.options.track.step(`end of ${one.view.ref.attemptId} is written`);
    const ended = { ...one.view, phase: 'exited' as const, end };
    one.view = ended;
    this.options.track.ended(one.terms[0] as AttemptId);
    this.announcer.emit('ended', ended);
  }
}
