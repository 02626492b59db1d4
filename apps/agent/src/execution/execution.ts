import { basename } from 'node:path';
import type { AttemptRef } from '@muster/protocol';
import type { ContainedTree } from '../containment/containment.js';
import type { AttemptDirectory } from '../supervisor/attempt-directory.js';
import { isAlive, readUptimeSeconds } from '../supervisor/process-identity.js';
import { writeDeadline } from '../supervisor/warden.js';
import { isDerivable, toEnd, writeEnd } from './end-record.js';
import { WrongPhase } from './execution-errors.js';
import { CannotStart } from './execution-hook.js';
import type { ExecutionHost } from './execution-host.js';
import type {
  ExecutionEnd,
  ExecutionId,
  ExecutionPhase,
  ExecutionView,
  StartGrant,
  StopRequest,
} from './execution-types.js';
import { cleanupAll, exitedAll } from './hook-chain.js';
import { rewriteIntent, type Intent } from './intent.js';
import { endOfFailedStart, endOfLateStart, endOfStoppedStart } from './never-ran.js';
import { prepareStart } from './prepare-start.js';
import { RunClock } from './run-clock.js';
import { RunWatch } from './run-watch.js';
import {
  readStopRecord,
  toSignal,
  toStopReason,
  toStopRecord,
  writeStopRecord,
  type StopRecord,
  type StopWish,
} from './stop-record.js';
import { TreeEnding } from './tree-ending.js';
import { TreePause } from './tree-pause.js';

/**
 * One execution, from intent to end.
 *
 *     accepted ──start──▶ running ◀──freeze / thaw──▶ paused
 *         │                  │                          │
 *         └── cannot start ──┴── end on disk and tree empty (or given up) ──▶ exited
 *
 * Everything it must not forget is in its directory before it acts on it.
 */
export class Execution {
  readonly id: ExecutionId;
  /** Resolves when the hooks have cleaned up; they begin when it has exited. */
  cleanedUp: Promise<void> = Promise.resolve();
  private phase: ExecutionPhase = 'accepted';
  private stopRecord: StopRecord | null = null;
  private knownEnd: ExecutionEnd | null = null;
  private lost: 'supervisorDied' | null = null;
  private isMainGone = false;
  private readonly tree: ContainedTree;
  private readonly ending: TreeEnding;
  private readonly clock: RunClock;
  private readonly pause: TreePause;
  private readonly looks: RunWatch;

  constructor(
    readonly directory: AttemptDirectory,
    private intent: Intent,
    private readonly host: ExecutionHost,
    private readonly startedHere: boolean,
    /** Its files were made ahead, and a process waits among them. */
    private readonly isSeated = false,
  ) {
    this.id = basename(directory.path) as ExecutionId;
    this.clock = new RunClock(directory);
    const containment = host.rungs[intent.rung] ?? host.fallbackRung;
    const { cgroupPath } = intent;
    this.tree = containment.tree({ directory, cgroupPath, startedHere, leader: () => this.clock.leader() });
    const { tree, clock } = this;
    this.looks = new RunWatch({ directory, spec: intent.spec, tree, clock, hardLimits: host.hardLimits });
    const failed = (what: string) => (error: unknown) => host.log.warn({ executionId: this.id, error }, what);
    this.ending = new TreeEnding({
      tree,
      isInherited: !startedHere,
      monotonicMs: () => host.clock.monotonicMs(),
      stopSignal: toSignal(intent.spec.stopSignal),
      isFrozen: () => this.clock.pauses.isFrozen,
      settled: (how) =>
        void this.finish(how === 'unkillable', this.lost).catch((error: unknown) => host.fail(this.id, error)),
      failed: failed('a step of the stop ladder failed'),
    });
    this.pause = new TreePause({
      tree,
      clock: clock.pauses,
      leader: () => clock.leader(),
      hasEnded: () => directory.readStatus() !== null,
      isEnding: () => this.ending.hasBegun,
      failed: failed('what an earlier agent had paused, or not, could not be restored'),
    });
  }

  view(): ExecutionView {
    const { ref, jobId, spec, gpus } = this.intent;
    const stopping = toStopReason(this.stopRecord);
    return { executionId: this.id, ref, jobId, spec, gpus, phase: this.phase, stopping, end: this.knownEnd };
  }

  async start(grant: StartGrant): Promise<void> {
    if (this.phase !== 'accepted' || this.stopRecord) return;
    this.phase = 'running';
    try {
      const { inCgroup } = await prepareStart(this.host, this.hookFacts(), grant.env ?? {}, this.isSeated);
      if (grant.deadlineMs !== undefined) await this.setDeadline(grant.deadlineMs);
      this.host.crashAt('beforeSpawn');
      // A stop that came while files were written wins: nothing has been handed over yet.
      if (this.stopRecord) return await this.neverRan();
      const { notAfterMs = Number.POSITIVE_INFINITY } = grant;
      if (this.host.clock.monotonicMs() > notAfterMs) return await this.cameTooLate();
      this.clock.begin();
      this.host.supervise(this.id, { inCgroup, notAfterMs });
      this.host.crashAt('afterSpawn');
      this.host.announce('running', this.view());
    } catch (error) {
      await this.failStart(error);
    }
  }

  /** Takes over from an earlier agent; the supervisor still watches the job. */
  adopt(): void {
    this.phase = 'running';
    this.clock.pauses.load();
    if (this.clock.pauses.isFrozen) this.phase = 'paused';
    this.looks.beginSilence();
    this.stopRecord = readStopRecord(this.directory);
    if (!this.stopRecord) return;
    const leftSeconds = this.stopRecord.killAtSeconds - readUptimeSeconds();
    this.ending.dispatch({ kind: 'stop', graceMs: Math.max(0, leftSeconds * 1_000) });
  }

  /**
   * The earlier agent may have died half-way into a freeze, or out of one: whatever is shown as paused stands still, and
   * nothing else does.
   */
  async freezeAgain(): Promise<void> {
    if (this.phase !== 'paused') await this.pause.release();
    else if (!(await this.pause.restore())) this.phase = 'running';
  }

  /** The end was on disk before this agent looked. Resolves when the tree is empty and the end classified. */
  async settleFound(end: ExecutionEnd | null, lost: 'supervisorDied' | 'reboot' | null): Promise<void> {
    this.clock.pauses.load();
    this.stopRecord = readStopRecord(this.directory);
    this.phase = 'running';
    const exited = new Promise<void>((resolve) => this.host.whenExited(this.id, resolve));
    if (end) {
      // Whoever could not be killed then may be there still, and holds the slot until then.
      const isUnkillable = end.outcome === 'unkillable' && !(await this.tree.look()).isEmpty;
      await this.conclude(end, { isOnDisk: true, isUnkillable });
    } else if (lost === 'reboot') {
      await this.finish(false, 'reboot');
    } else {
      this.lost = lost;
      this.ending.dispatch({ kind: 'mainExited' });
    }
    return exited;
  }

  async stop(request: StopRequest): Promise<void> {
    if (this.phase === 'exited') return;
    const graceMs = request.kind === 'forceStop' ? 0 : request.graceSeconds * 1_000;
    await this.end({ cause: request.reason, graceMs, detail: null });
    if (request.kind === 'forceStop') this.ending.dispatch({ kind: 'force' });
  }

  async freeze(): Promise<void> {
    if (this.phase === 'paused') return;
    if (this.phase !== 'running' || this.ending.hasBegun) throw new WrongPhase(this.id, this.phase, 'stand still');
    if (!(await this.pause.freeze())) return;
    this.phase = 'paused';
    this.host.announce('paused', this.view());
  }

  async thaw(): Promise<void> {
    if (this.phase !== 'paused') return;
    await this.pause.thaw();
    this.looks.beginSilence();
    this.phase = 'running';
    this.host.announce('resumed', this.view());
  }

  async setDeadline(atMs: number): Promise<void> {
    if (this.phase === 'exited') return;
    await writeDeadline(this.directory, atMs, this.host.clock, this.intent.cgroupPath);
    await this.host.ensureWarden();
  }

  async rebind(ref: AttemptRef): Promise<void> {
    const intent = { ...this.intent, ref };
    await rewriteIntent(this.directory, intent);
    this.intent = intent;
  }

  /** No supervisor was told of it before the last moment of its grant, and none will be. */
  cameTooLate(): Promise<void> {
    return this.conclude(endOfLateStart(this.intent.rung));
  }

  /** The supervisor says so, or a look at the file: the end of the main process is on disk. */
  onMainExited(): void {
    this.host.crashAt('afterExitSeen');
    this.isMainGone = true;
    this.ending.dispatch({ kind: 'mainExited' });
  }

  /** The supervisor died under this agent. What it managed to write decides; the rest of the tree goes. */
  async onSupervisorLost(): Promise<void> {
    if (this.phase === 'exited' || this.directory.readStatus()) return this.onMainExited();
    // Nobody will start it any more, unless its process is already on the way: then it is killed with the tree.
    await this.directory.forbidStart().catch(() => false);
    if (this.directory.readStatus() === null) this.lost = 'supervisorDied';
    this.isMainGone = true;
    this.ending.dispatch({ kind: 'mainExited' });
  }

  /** For an adopted execution, whose supervisor reports to nobody: the files and the process table are asked. */
  async lookAtFiles(): Promise<void> {
    if (this.phase === 'exited' || this.isMainGone) return;
    const { supervisor } = this.directory.readIdent();
    const isWatched = supervisor !== null && isAlive(supervisor);
    if (this.directory.readStatus()) this.onMainExited();
    else if (!isWatched) await this.onSupervisorLost();
  }

  /** Called a few times a second while it runs: samples use and enforces the limits that are ours. */
  async watch(isFullLook: boolean): Promise<void> {
    if (this.phase !== 'running' || this.ending.hasBegun) return;
    const hit = await this.looks.look(isFullLook);
    if (!hit) return;
    await this.end({
      cause: hit.cause,
      graceMs: hit.isUrgent ? 0 : this.intent.spec.graceSeconds * 1_000,
      detail: hit.detail,
    });
    if (hit.isUrgent) this.ending.dispatch({ kind: 'force' });
  }

  /** Lets go of timers; the process lives on. */
  release(): void {
    this.ending.release();
  }

  private async end(wish: StopWish): Promise<void> {
    if (this.stopRecord) return;
    const record = toStopRecord(wish, this.intent.spec.stopSignal, readUptimeSeconds());
    const hadStarted = this.phase !== 'accepted';
    this.stopRecord = record;
    this.stopRecord = await writeStopRecord(this.directory, record);
    this.host.crashAt('afterStopRecorded');
    if (!hadStarted) return this.neverRan();
    if (this.clock.hasBegunHere && this.host.takeBack(this.id)) return this.neverRan();
    // Whoever creates `go` first decides: if it is us, the job can never run and its supervisor will say so.
    if (this.clock.hasBegunHere && this.clock.leader() === null) await this.directory.forbidStart().catch(() => false);
    if (this.clock.hasBegunHere || !this.startedHere) this.ending.dispatch({ kind: 'stop', graceMs: wish.graceMs });
  }

  private async finish(isUnkillable: boolean, lost: 'supervisorDied' | 'reboot' | null): Promise<void> {
    this.looks.meter.add(this.tree.usage());
    const part = await exitedAll(this.host.hooks, this.hookFacts(), this.host.log);
    const end = toEnd({
      directory: this.directory,
      stop: this.stopRecord,
      lost,
      isUnkillable,
      rung: this.intent.rung,
      signalKnown: this.host.signalKnown,
      outOfMemory: this.tree.wasOutOfMemory(),
      leftovers: this.ending.leftovers,
      startedAtSeconds: this.clock.startedAtSeconds(),
      part,
      meter: this.looks.meter,
    });
    await this.conclude(end, { isUnkillable, isOnDisk: isDerivable(end) });
  }

  private async failStart(error: unknown): Promise<void> {
    if (!(error instanceof CannotStart))
      this.host.log.warn({ executionId: this.id, error }, 'an execution could not be prepared');
    await this.conclude(endOfFailedStart(error, this.intent.rung));
  }

  private neverRan(): Promise<void> {
    return this.conclude(endOfStoppedStart(toStopReason(this.stopRecord), this.intent.rung));
  }

  /**
   * `isOnDisk`: it was read from there, or a later agent would put the same together again from what is there. For that
   * reason a full disk costs only the usage.
   */
  private async conclude(end: ExecutionEnd, how: { isUnkillable?: boolean; isOnDisk?: boolean } = {}): Promise<void> {
    if (this.knownEnd) return;
    this.knownEnd = end;
    if (!how.isOnDisk) {
      await writeEnd(this.directory, end).catch((error: unknown) => {
        this.host.log.warn({ executionId: this.id, error }, 'the end of an execution could not be written down');
      });
    }
    this.host.crashAt('afterExitRecorded');
    this.phase = 'exited';
    this.ending.release();
    this.cleanedUp = cleanupAll(this.host, this.hookFacts());
    this.host.exited(this.id, how.isUnkillable ? this.tree : null, { ...this.view(), end });
  }

  private hookFacts(): { intent: Intent; directory: AttemptDirectory } {
    return { intent: this.intent, directory: this.directory };
  }
}
