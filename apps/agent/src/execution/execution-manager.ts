import { dirname, join } from 'node:path';
import type { AttemptRef, ContainmentRung } from '@muster/protocol';
import type { ContainedTree } from '../containment/containment.js';
import type { ContainmentProbe } from '../containment/probe.js';
import { AttemptDirectory } from '../supervisor/attempt-directory.js';
import { createCrashAt, type CrashAt } from '../supervisor/crash-points.js';
import { FileLane } from '../supervisor/file-lane.js';
import { newExecutionId, type SeatMaker } from '../supervisor/seat-maker.js';
import { SlotPool } from '../supervisor/slot-pool.js';
import type { Tools } from '../supervisor/start-probe.js';
import { Warden } from '../supervisor/warden.js';
import { ExecutionAnnouncer } from './execution-announcer.js';
import { NoFreeSlot, UnknownExecution, WrongPhase } from './execution-errors.js';
import { Execution } from './execution.js';
import type { ExecutionHost } from './execution-host.js';
import { ExecutionWatch } from './execution-watch.js';
import type {
  ExecutionEvents,
  ExecutionId,
  ExecutionManager,
  ExecutionManagerOptions,
  ExecutionOffer,
  ExecutionPaths,
  ExecutionView,
  ProcessCapabilities,
  RecoveredExecution,
  SlotCount,
  StartGrant,
  StopRequest,
} from './execution-types.js';
import { rungFor, toCapabilities } from './capabilities.js';
import { pathsOf } from './execution-paths.js';
import { hookChain } from './hook-chain.js';
import { toIntent } from './intent.js';
import { Quarantine } from './quarantine.js';
import { prepareStart, writeAccepted } from './prepare-start.js';
import { recoverAll } from './recover-executions.js';
import { removeDirectory, reuseDirectory } from './remove-directory.js';
import { createSeats } from './seats.js';

/** What is not removed by then is found by the next start of the agent. */
const REMOVALS_PATIENCE_MS = 2_000;
/** Somebody waits for a start, and would wait for its thread too: it rests only when jobs are rare. */
const STARTS_REST_MS = 10 * 60_000;

/** See `ExecutionManager`; made by `openExecutionManager`. */
export class ProcessExecutionManager implements ExecutionManager {
  readonly capabilities: ProcessCapabilities;
  private readonly executions = new Map<ExecutionId, Execution>();
  /** Started by an earlier agent: nobody reports their end, so their files are watched. */
  private readonly adopted = new Set<ExecutionId>();
  private readonly quarantine: Quarantine;
  private readonly exitListeners = new Map<ExecutionId, () => void>();
  private readonly announcer: ExecutionAnnouncer;
  private readonly lane = new FileLane(STARTS_REST_MS);
  private readonly removals = new FileLane();
  private readonly seats: SeatMaker;
  private readonly pool: SlotPool;
  private readonly warden: Warden;
  private readonly watch: ExecutionWatch;
  private readonly crashAt: CrashAt;
  private readonly host: ExecutionHost;
  private sweeping: Promise<void> = Promise.resolve();
  private isClosed = false;

  constructor(
    private readonly options: ExecutionManagerOptions,
    private readonly attemptsDir: string,
    tools: Tools,
    private readonly probe: ContainmentProbe,
    private readonly defaultRung: ContainmentRung,
    signalKnown: boolean,
  ) {
    const { stateDir, logger, environment, clock } = options;
    this.crashAt = createCrashAt(environment);
    this.announcer = new ExecutionAnnouncer(logger);
    this.capabilities = toCapabilities(probe, defaultRung, signalKnown);
    const hooks = hookChain({ rungs: probe.rungs, environment, shellPath: tools.shell });
    this.seats = createSeats({ stateDir, slots: options.slots, lane: this.removals, hooks, probe, rung: defaultRung });
    this.pool = new SlotPool({
      size: options.slots,
      shellPath: tools.shell,
      stateDir,
      attemptsDir,
      cgroupRoot: probe.cgroupRoot,
      seats: this.seats,
      listener: {
        ended: (id) => this.executions.get(id as ExecutionId)?.onMainExited(),
        refused: (id) => this.tell(id as ExecutionId, (one) => one.onSupervisorLost()),
        supervisorLost: (id) => this.tell(id as ExecutionId, (one) => one.onSupervisorLost()),
        tooLate: (id) => this.tell(id as ExecutionId, (one) => one.cameTooLate()),
      },
      clock,
      warn: (fields, message) => logger.warn(fields, message),
    });
    this.quarantine = new Quarantine({
      lane: this.lane,
      log: logger,
      released: () => this.announcer.emit('slots', this.slots()),
    });
    this.warden = new Warden({ stateDir, attemptsDir, shellPath: tools.shell, sleepFolder: dirname(tools.sleep) });
    const { executions, adopted, quarantine } = this;
    this.watch = new ExecutionWatch({ executions, adopted, quarantine, clock, logger });
    const fallbackRung = probe.rungs.group;
    if (!fallbackRung) throw new Error('The containment rung "group" needs nothing and is always there.');
    this.host = {
      hooks,
      lane: this.lane,
      removals: this.removals,
      rungs: probe.rungs,
      fallbackRung,
      hardLimits: probe.hardLimits,
      tools,
      jobEnvironment: options.jobEnvironment ?? {},
      signalKnown,
      clock,
      log: logger,
      crashAt: this.crashAt,
      supervise: (id, how) => this.pool.start(id, how),
      takeBack: (id) => this.pool.takeBack(id),
      ensureWarden: () => this.warden.ensure(),
      announce: (event, view) => this.announcer.emit(event, view),
      exited: (id, tree, view) => this.onExited(id, tree, view),
      whenExited: (id, listener) => this.exitListeners.set(id, listener),
      fail: (id, error) => logger.error({ executionId: id, error }, 'an execution could not be brought to its end'),
    };
  }

  async open(): Promise<void> {
    const earlier = await this.seats.open(this.attemptsDir);
    await this.pool.open();
    this.sweeping = this.seats.sweep(earlier).catch((error: unknown) => {
      this.options.logger.warn({ error }, 'what an earlier agent had prepared could not be removed');
    });
    this.watch.start();
  }

  async recover(): Promise<readonly RecoveredExecution[]> {
    const found = await recoverAll(this.attemptsDir, this.host, (execution, isAdopted) => {
      this.executions.set(execution.id, execution);
      if (isAdopted) this.adopted.add(execution.id);
    });
    this.announcer.emit('slots', this.slots());
    return found;
  }

  async accept(offer: ExecutionOffer): Promise<ExecutionId> {
    if (this.slots().free <= 0) throw new NoFreeSlot(this.pool.size);
    const rung = rungFor(offer.spec.needs, this.defaultRung, this.probe.report.available);
    const seat = rung === this.defaultRung ? this.pool.reserve() : null;
    const directory = new AttemptDirectory(join(this.attemptsDir, seat ?? newExecutionId()));
    const intent = toIntent(directory, offer, rung, this.probe.rungs[rung]?.cgroupPathOf(directory) ?? null);
    const prepared = prepareStart(this.host, { directory, intent }, this.host.jobEnvironment);
    const execution = new Execution(directory, intent, this.host, prepared);
    this.executions.set(execution.id, execution);
    try {
      const start = await prepared.catch(() => null);
      await writeAccepted(this.host, { directory, intent }, this.seats, seat !== null, start);
    } catch (error) {
      this.executions.delete(execution.id);
      this.pool.giveUp(execution.id);
      execution.abandon();
      await Promise.all([removeDirectory(directory, this.lane, this.host.log), this.seats.drop(execution.id)]);
      throw error;
    }
    this.crashAt('afterIntent');
    this.announcer.emit('slots', this.slots());
    return execution.id;
  }

  start(executionId: ExecutionId, grant: StartGrant = {}): Promise<void> {
    return this.get(executionId).start(grant);
  }

  stop(executionId: ExecutionId, request: StopRequest): Promise<void> {
    return this.get(executionId).stop(request);
  }

  freeze(executionId: ExecutionId): Promise<void> {
    return this.get(executionId).freeze();
  }

  thaw(executionId: ExecutionId): Promise<void> {
    return this.get(executionId).thaw();
  }

  setDeadline(executionId: ExecutionId, atMs: number): Promise<void> {
    return this.get(executionId).setDeadline(atMs);
  }

  rebind(executionId: ExecutionId, ref: AttemptRef): Promise<void> {
    return this.get(executionId).rebind(ref);
  }

  async discard(executionId: ExecutionId): Promise<void> {
    const execution = this.get(executionId);
    const { phase } = execution.view();
    if (phase === 'running' || phase === 'paused') throw new WrongPhase(executionId, phase, 'be forgotten');
    this.executions.delete(executionId);
    this.pool.giveUp(executionId);
    const { directory } = execution;
    const { removals, log } = this.host;
    if (phase === 'exited') {
      // Behind the clean-up, which the same thread does.
      await this.quarantine.remove(executionId, () => reuseDirectory(directory, this.seats, log));
    } else {
      execution.abandon();
      await removeDirectory(directory, removals, log);
      this.announcer.emit('slots', this.slots());
    }
  }

  view(executionId: ExecutionId): ExecutionView {
    return this.get(executionId).view();
  }

  list(): readonly ExecutionView[] {
    return [...this.executions.values()].map((execution) => execution.view());
  }

  find(ref: AttemptRef): ExecutionView | null {
    return this.list().find((view) => view.ref.attemptId === ref.attemptId && view.ref.epoch === ref.epoch) ?? null;
  }

  paths(executionId: ExecutionId): ExecutionPaths {
    const execution = this.get(executionId);
    return pathsOf(execution.directory, execution.view().spec);
  }

  slots(): SlotCount {
    const total = this.pool.size;
    const quarantined = this.quarantine.size;
    let used = quarantined;
    for (const execution of this.executions.values()) if (execution.view().phase !== 'exited') used += 1;
    const { problem } = this.pool;
    return { total, free: Math.max(0, total - used), quarantined, ...(problem === null ? {} : { problem }) };
  }

  setSlots(slots: number): void {
    this.pool.resize(slots);
    this.announcer.emit('slots', this.slots());
  }

  on<E extends keyof ExecutionEvents>(event: E, listener: ExecutionEvents[E]): void {
    this.announcer.on(event, listener);
  }

  off<E extends keyof ExecutionEvents>(event: E, listener: ExecutionEvents[E]): void {
    this.announcer.off(event, listener);
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.watch.stop();
    for (const execution of this.executions.values()) execution.release();
    await Promise.all([this.pool.close(), this.sweeping]);
    this.warden.release();
    this.seats.close().catch((error: unknown) => this.host.log.warn({ error }, 'spare directories could not be removed'));
    await Promise.all([this.lane.close(), this.removals.close(REMOVALS_PATIENCE_MS)]);
    for (const containment of Object.values(this.probe.rungs)) containment.release();
  }

  private get(executionId: ExecutionId): Execution {
    const execution = this.executions.get(executionId);
    if (!execution) throw new UnknownExecution(executionId);
    return execution;
  }

  private tell(executionId: ExecutionId, what: (execution: Execution) => Promise<void>): void {
    const execution = this.executions.get(executionId);
    if (execution) what(execution).catch((error: unknown) => this.host.fail(executionId, error));
  }

  private onExited(
    executionId: ExecutionId,
    tree: ContainedTree | null,
    view: Parameters<ExecutionEvents['ended']>[0],
  ): void {
    const wasAdopted = this.adopted.delete(executionId);
    this.pool.giveUp(executionId);
    if (tree) this.quarantine.hold(executionId, tree);
    const listener = this.exitListeners.get(executionId);
    this.exitListeners.delete(executionId);
    // Found ended by `recover`, which reports it itself.
    if (listener && !wasAdopted) return listener();
    this.announcer.emit('ended', view);
    this.announcer.emit('slots', this.slots());
  }
}
