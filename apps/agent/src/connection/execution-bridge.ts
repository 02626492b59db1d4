import type { AgentEffect, AgentEvent, EndReport, RecoveredExecution } from '@muster/domain';
import { LIMITS } from '@muster/protocol';
import type { AttemptId, AttemptRef } from '@muster/protocol';
import type { Clock } from '@muster/runtime';
import type { ExecutionEnd, ExecutionId, ExecutionManager, ExecutionView } from '../execution/execution-types.js';
import type { LogEnd, LogShipper } from '../shipping/log-shipper.js';
import type { MetricShipper } from '../shipping/metric-shipper.js';
import type { ProgressShipper } from '../shipping/progress-shipper.js';
import { Chains } from './chains.js';
import { messageOf } from './detail.js';
import { ExecutionMap, neverRan, toEndReport, toNeverStarted, toRecovered, toStopReason } from './execution-map.js';
import { refusalOf } from './objections.js';
import { PauseChains } from './pause-chains.js';
import type { RuntimeLogger } from './runtime-logger.js';
import { isMarkedSettled, markSettled } from './settled-mark.js';

/** An event without its moment: the runtime adds when it took it up. */
export type Happening = AgentEvent extends infer E ? (E extends AgentEvent ? Omit<E, 'nowMs'> : never) : never;
export type ExecutionEffect =
  Extract<AgentEffect, { readonly executionId: AttemptId }> | Extract<AgentEffect, { readonly type: 'writeIntent' }>;

export interface ExecutionBridgeOptions {
  readonly executions: ExecutionManager;
  readonly logs: Pick<LogShipper, 'follow' | 'rebind' | 'finish' | 'whenDrained' | 'forget'>;
  readonly metrics: Pick<MetricShipper, 'follow' | 'rebind' | 'finish' | 'forget'>;
  readonly progress: Pick<ProgressShipper, 'follow' | 'rebind' | 'finish'>;
  readonly clock: Clock;
  readonly logger: RuntimeLogger;
}

/**
 * Carries out what the reducer wants done with processes and their files, and tells it what became of them. Orders for one
 * execution are carried out one after the other; different executions do not wait for each other, and nothing waits for a
 * job to stand still.
 */
export class ExecutionBridge {
  private readonly names = new ExecutionMap();
  private readonly chains = new Chains<AttemptId>();
  private readonly pauses: PauseChains;
  private readonly ending = new Set<AttemptId>();
  /** Of what has ended: settles when its last byte is acknowledged, or nobody wants it. */
  private readonly shipped = new Map<AttemptId, Promise<LogEnd>>();
  /** Terms that are not on disk yet. */
  private readonly unwritten = new Map<AttemptId, AttemptRef>();
  private tell: (happening: Happening) => void = () => undefined;
  private readonly failed: (error: unknown, effect: ExecutionEffect['type'], executionId: AttemptId) => void;
  private quarantined: number;
  /** Upper bound of every grace from now on; lowered when the agent itself is in a hurry. */
  graceLimitSeconds = Number.POSITIVE_INFINITY;

  constructor(private readonly options: ExecutionBridgeOptions) {
    const { executions, logger } = options;
    this.failed = (err, effect, executionId) => logger.error({ err, effect, executionId }, 'effect failed');
    this.pauses = new PauseChains(executions, this.failed);
    this.quarantined = executions.slots().quarantined;
    executions.on('running', (view) => this.tellOf(view, 'started'));
    executions.on('paused', (view) => this.tellOf(view, 'frozen'));
    executions.on('resumed', (view) => this.tellOf(view, 'thawed'));
    executions.on('ended', (view) => void this.onEnded(view));
    executions.on('slots', ({ quarantined }) => this.onQuarantined(quarantined));
  }

  /** Where happenings go from now on. */
  listen(tell: (happening: Happening) => void): void {
    this.tell = tell;
  }

  /** Settles what an earlier life left, takes up the shipping of its logs, and says what the reducer starts from. */
  async recover(): Promise<readonly RecoveredExecution[]> {
    const recovered: RecoveredExecution[] = [];
    const rung = this.options.executions.capabilities.containment.default;
    for (const found of await this.options.executions.recover()) {
      if (found.kind === 'neverStarted') recovered.push(toNeverStarted(found, rung));
      else recovered.push(await this.recoverExecution(found.view, found.kind === 'ended'));
    }
    return recovered;
  }

  /** Processes that are alive or may be. */
  get liveCount(): number {
    return this.options.executions.list().filter(({ phase }) => phase === 'running' || phase === 'paused').length;
  }

  /**
   * Resolves when the effect is durable, and for a pause as soon as it is under way; what it leads to comes as a
   * happening. Never rejects.
   */
  carryOut(effect: ExecutionEffect): Promise<void> {
    const executionId = effect.type === 'writeIntent' ? effect.intent.executionId : effect.executionId;
    return this.chains.run(executionId, () =>
      this.perform(effect).catch((error: unknown) => this.failed(error, effect.type, executionId)),
    );
  }

  /** Tries once more what the disk did not take, unless a try is under way. */
  catchUp(): void {
    for (const [executionId, ref] of this.unwritten) {
      if (!this.chains.isBusy(executionId)) void this.carryOut({ type: 'rebind', executionId, ref });
    }
  }

  /** Resolves when everything ordered so far is carried out. */
  async whenIdle(): Promise<void> {
    await this.chains.allSettled();
    await this.pauses.allSettled();
  }

  /** Skips the grace of every process that is being stopped, and of those that will be. */
  async hurry(): Promise<void> {
    this.graceLimitSeconds = 0;
    const stopping = this.options.executions
      .list()
      .filter(({ stopping: reason, phase }) => reason !== null && phase !== 'exited');
    await Promise.allSettled(
      stopping.map(({ executionId, stopping: reason }) =>
        this.options.executions.stop(executionId, { kind: 'forceStop', graceSeconds: 0, reason: reason ?? 'stopped' }),
      ),
    );
  }

  private async perform(effect: ExecutionEffect): Promise<void> {
    if (effect.type === 'writeIntent') return this.writeIntent(effect);
    if (effect.type === 'settle') return this.settle(effect.executionId);
    if (effect.type === 'forget') return this.forget(effect.executionId);
    const processId = this.names.processOf(effect.executionId);
    // Nothing was ever started for it, so there is nothing to do it to.
    if (!processId) return;
    const { executions } = this.options;
    switch (effect.type) {
      case 'spawn':
        return this.spawn(effect, processId);
      case 'setDeadline':
        return executions.setDeadline(processId, effect.deadlineMs);
      case 'stop':
        return executions.stop(processId, {
          kind: effect.isForced ? 'forceStop' : 'stop',
          graceSeconds: Math.min(effect.graceSeconds, this.graceLimitSeconds),
          reason: toStopReason(effect.cause),
        });
      case 'freeze':
      case 'thaw':
        return this.pauses.order(effect.type, effect.executionId, processId);
      case 'rebind':
        return this.rebind(effect.executionId, processId, effect.ref);
    }
  }

  private async writeIntent({ intent }: Extract<ExecutionEffect, { type: 'writeIntent' }>): Promise<void> {
    const { executionId, ref, jobId, number, spec, gpus } = intent;
    try {
      this.names.add(executionId, await this.options.executions.accept({ ...ref, jobId, number, spec, gpus }));
      this.tell({ type: 'intentWritten', executionId });
    } catch (error) {
      this.tell({ type: 'intentFailed', executionId, reason: refusalOf(error), detail: messageOf(error) });
    }
  }

  private async spawn(effect: Extract<ExecutionEffect, { type: 'spawn' }>, processId: ExecutionId): Promise<void> {
    const { executions } = this.options;
    const { executionId, notAfterMs, deadlineMs } = effect;
    const deadline = deadlineMs === null ? {} : { deadlineMs };
    const view = executions.view(processId);
    // It came too late once, so its directory can never run: said again until the reducer gives the attempt back.
    if (view.phase === 'exited') return this.tellNeverRan(executionId, 'refused', 'Its start was granted too late.');
    this.follow(executionId, view, true);
    this.options.logger.info({ ...view.ref, jobId: view.jobId }, 'attempt starts');
    try {
      await executions.start(processId, { notAfterMs, ...deadline });
    } catch (error) {
      this.tellNeverRan(executionId, 'spawnFailed', messageOf(error));
    }
  }

  private follow(executionId: AttemptId, view: ExecutionView, isNew: boolean): void {
    const { executions, logs, metrics, progress } = this.options;
    const paths = executions.paths(view.executionId);
    const capBytes = view.spec.limits.logBytes ?? LIMITS.logBytesDefault;
    logs.follow({ key: executionId, ref: view.ref, paths: paths.logs, capBytes, directory: paths.directory, isNew });
    metrics.follow(executionId, view.ref, paths.metrics);
    progress.follow(executionId, view.ref, paths.progress);
  }

  private async rebind(executionId: AttemptId, processId: ExecutionId, ref: AttemptRef): Promise<void> {
    const { executions, logs, metrics, progress } = this.options;
    try {
      await executions.rebind(processId, ref);
      this.unwritten.delete(executionId);
    } catch (error) {
      this.unwritten.set(executionId, ref);
      throw error;
    } finally {
      // What it prints belongs to the new attempt, whatever the disk says.
      logs.rebind(executionId, ref);
      metrics.rebind(executionId, ref);
      progress.rebind(executionId, ref);
    }
  }

  private async onEnded(view: ExecutionView & { readonly end: ExecutionEnd }): Promise<void> {
    const executionId = this.names.nameOf(view.executionId);
    if (!executionId || this.ending.has(executionId)) return;
    this.ending.add(executionId);
    // Its last words go their own way: nobody waits for them.
    void this.options.progress.finish(executionId);
    const end = toEndReport(view.end, await this.proofsOf(executionId));
    const { jobId, ref } = view;
    this.options.logger.info(
      { ...ref, jobId, outcome: end.outcome, exit: end.exit, ranMs: end.ranMs },
      'attempt ended',
    );
    this.tell({ type: 'ended', executionId, end, isQuarantined: view.end.outcome === 'unkillable' });
  }

  /** Without a readable log the end is still reported; the log then stays unproven. */
  private async proofsOf(executionId: AttemptId): Promise<EndReport['logs']> {
    try {
      return await this.options.logs.finish(executionId);
    } catch (error) {
      this.options.logger.warn({ err: error, executionId }, 'log cannot be proven');
      return {};
    } finally {
      this.shipped.set(executionId, this.whenShipped(executionId));
    }
  }

  /**
   * Waits for the last byte in the background; a successor that finds the mark goes on with that, and with nothing else.
   * Without the mark it tells the end once more, which harms nothing.
   */
  private async settle(executionId: AttemptId): Promise<void> {
    const shipped = this.shipped.get(executionId) ?? Promise.resolve('drained');
    const isShipped = await Promise.race([shipped, new Promise<false>((resolve) => setImmediate(resolve, false))]);
    try {
      // Usually there is nothing left to ship, and then nothing to remember.
      if (isShipped === false) await this.mark(executionId);
    } finally {
      void shipped.then((end) => {
        if (end !== 'stopped') this.tell({ type: 'logDone', executionId });
      });
    }
  }

  private async whenShipped(executionId: AttemptId): Promise<LogEnd> {
    const [end] = await Promise.all([
      this.options.logs.whenDrained(executionId),
      this.options.metrics.finish(executionId),
    ]);
    return end;
  }

  private async mark(executionId: AttemptId): Promise<void> {
    const processId = this.names.processOf(executionId);
    if (processId) await markSettled(this.options.executions.paths(processId).directory);
  }

  private async forget(executionId: AttemptId): Promise<void> {
    const { executions, logs, metrics, progress } = this.options;
    await Promise.all([logs.forget(executionId), metrics.forget(executionId)]);
    void progress.finish(executionId);
    const processId = this.names.processOf(executionId);
    this.names.delete(executionId);
    this.ending.delete(executionId);
    this.shipped.delete(executionId);
    this.unwritten.delete(executionId);
    // It has ended, so nobody waits for it to stand still: only for what is being written of that.
    await this.pauses.forget(executionId);
    if (processId) await executions.discard(processId);
  }

  private async recoverExecution(view: ExecutionView, isEnded: boolean): Promise<RecoveredExecution> {
    const executionId = view.ref.attemptId;
    this.names.add(executionId, view.executionId);
    this.follow(executionId, view, false);
    if (!isEnded) return toRecovered(view, {}, false);
    this.ending.add(executionId);
    void this.options.progress.finish(executionId);
    const isSettled = await isMarkedSettled(this.options.executions.paths(view.executionId).directory);
    return toRecovered(view, await this.proofsOf(executionId), isSettled);
  }

  private tellOf(view: ExecutionView, type: 'started' | 'frozen' | 'thawed'): void {
    const executionId = this.names.nameOf(view.executionId);
    if (executionId) this.tell({ type, executionId });
  }

  /** `refused`: it may be ordered again. `spawnFailed`: that is its end, whatever else is said of it. */
  private tellNeverRan(executionId: AttemptId, outcome: 'refused' | 'spawnFailed', detail: string): void {
    if (outcome === 'spawnFailed' && this.ending.has(executionId)) return;
    if (outcome === 'spawnFailed') this.ending.add(executionId);
    const end = neverRan(outcome, detail, this.options.executions.capabilities.containment.default);
    this.tell({ type: 'ended', executionId, end, isQuarantined: false });
  }

  private onQuarantined(quarantined: number): void {
    for (; this.quarantined > quarantined; this.quarantined -= 1) this.tell({ type: 'slotReleased' });
    this.quarantined = quarantined;
  }
}
