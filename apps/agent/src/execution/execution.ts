import { constants } from 'node:os';
import { basename } from 'node:path';
import type { AttemptRef } from '@muster/protocol';
import type { ContainedTree } from '../containment/containment.js';
import type { AttemptDirectory } from '../supervisor/attempt-directory.js';
import { isAlive, readUptimeSeconds, TICKS_PER_SECOND, type ProcessIdentity } from '../supervisor/process-identity.js';
import { toRunScript } from '../supervisor/run-script.js';
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
import { cleanupAll, exitedAll, prepareAll } from './hook-chain.js';
import { rewriteIntent, type Intent } from './intent.js';
import { limitHit } from './limit-watch.js';
import { OutputWatch } from './output-watch.js';
import { PauseClock } from './pause-clock.js';
import { readStopRecord, writeStopRecord, type StopRecord } from './stop-record.js';
import { TreeEnding } from './tree-ending.js';
import { UsageMeter } from './usage.js';

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
  private identity: ProcessIdentity | null = null;
  private startedAtSeconds: number | null = null;
  private readonly tree: ContainedTree;
  private readonly ending: TreeEnding;
  private readonly pauses: PauseClock;
  private readonly output: OutputWatch;
  private readonly meter = new UsageMeter();

  constructor(
    readonly directory: AttemptDirectory,
    private intent: Intent,
    private readonly host: ExecutionHost,
    private readonly startedHere: boolean,
  ) {
    this.id = basename(directory.path) as ExecutionId;
    this.pauses = new PauseClock(directory);
    this.output = new OutputWatch(directory, intent.spec.logs.separate);
    const containment = host.rungs[intent.rung] ?? host.fallbackRung;
    const { cgroupPath } = intent;
    this.tree = containment.tree({ directory, cgroupPath, startedHere, leader: () => this.leader() });
    this.ending = new TreeEnding({
      tree: this.tree,
      monotonicMs: () => host.clock.monotonicMs(),
      stopSignal: toSignal(intent.spec.stopSignal),
      isFrozen: () => this.pauses.isFrozen,
      settled: (how) => this.whenSettled(how),
      failed: (error) => host.log.warn({ executionId: this.id, error }, 'a step of the stop ladder failed'),
    });
  }

  view(): ExecutionView {
    const { ref, jobId, spec } = this.intent;
    const cause = this.stopRecord?.cause;
    const stopping = cause === 'cancelled' || cause === 'superseded' || cause === 'stopped' ? cause : null;
    return { executionId: this.id, ref, jobId, spec, phase: this.phase, stopping, end: this.knownEnd };
  }

  async start(grant: StartGrant): Promise<void> {
    if (this.phase !== 'accepted' || this.stopRecord) return;
    this.phase = 'running';
    try {
      const plan = await prepareAll(this.host.hooks, this.hookFacts(), grant.env ?? {});
      const [program, ...rest] = plan.command;
      if (program === undefined) throw new CannotStart('spawnFailed', 'The job names no program.');
      const { setsid, env } = this.host.tools;
      const { streams, operations, ...words } = plan;
      const script = toRunScript({
        ...words,
        ...(streams ? { streams } : {}),
        setsidPath: setsid,
        envPath: env,
        command: [program, ...rest],
      });
      await this.directory.writeStartFiles(this.host.lane, script, operations);
      if (grant.deadlineMs !== undefined) await this.setDeadline(grant.deadlineMs);
      this.host.crashAt('beforeSpawn');
      // A stop that came while files were written wins: nothing has been handed over yet.
      if (this.stopRecord) return await this.neverRan();
      const { notAfterMs = Number.POSITIVE_INFINITY } = grant;
      if (this.host.clock.monotonicMs() > notAfterMs) return await this.cameTooLate();
      this.startedAtSeconds = readUptimeSeconds();
      this.host.supervise(this.id, { inCgroup: plan.entersCgroup, notAfterMs });
      this.host.crashAt('afterSpawn');
      this.host.announce('running', this.view());
    } catch (error) {
      await this.failStart(error);
    }
  }

  /** Takes over from an earlier agent; the supervisor still watches the job. */
  adopt(): void {
    this.phase = 'running';
    this.pauses.load();
    if (this.pauses.isFrozen) this.phase = 'paused';
    this.output.grewAt(this.ranMs());
    this.stopRecord = readStopRecord(this.directory);
    if (!this.stopRecord) return;
    const leftSeconds = this.stopRecord.killAtSeconds - readUptimeSeconds();
    this.ending.dispatch({ kind: 'stop', graceMs: Math.max(0, leftSeconds * 1_000) });
  }

  /** The end was on disk before this agent looked. Resolves when the tree is empty and the end classified. */
  async settleFound(end: ExecutionEnd | null, lost: 'supervisorDied' | 'reboot' | null): Promise<void> {
    this.pauses.load();
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
    await this.pauses.freeze(readUptimeSeconds());
    try {
      await this.tree.freeze();
    } catch (error) {
      await this.tree.thaw();
      await this.pauses.thaw(readUptimeSeconds());
      throw error;
    }
    if (this.ending.hasBegun) return;
    this.phase = 'paused';
    this.host.announce('paused', this.view());
  }

  async thaw(): Promise<void> {
    if (this.phase !== 'paused') return;
    await this.tree.thaw();
    await this.pauses.thaw(readUptimeSeconds());
    this.output.grewAt(this.ranMs());
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
    return this.conclude(this.endWithoutRun('refused', 'Its start was granted too late.'));
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
    const { limits, graceSeconds } = this.intent.spec;
    const isMemoryOurs = limits.memoryMb !== undefined && !this.host.hardLimits.has('memory');
    const sample = isFullLook || isMemoryOurs ? this.tree.usage() : null;
    if (sample) this.meter.add(sample);
    const ranMs = this.ranMs();
    if (isFullLook && limits.silenceSeconds !== undefined) await this.output.look(ranMs);
    const memoryBytes = isMemoryOurs ? (sample?.memoryBytes ?? null) : null;
    const hit = limitHit(limits, { ranMs, silentMs: this.output.silentMs(ranMs), memoryBytes });
    if (!hit) return;
    await this.end({ cause: hit.cause, graceMs: hit.isUrgent ? 0 : graceSeconds * 1_000, detail: hit.detail });
    if (hit.isUrgent) this.ending.dispatch({ kind: 'force' });
  }

  /** Lets go of timers; the process lives on. */
  release(): void {
    this.ending.release();
  }

  private async end(stop: { cause: StopRecord['cause']; graceMs: number; detail: string | null }): Promise<void> {
    if (this.stopRecord) return;
    const atSeconds = readUptimeSeconds();
    const signal = toSignal(this.intent.spec.stopSignal);
    const record = {
      cause: stop.cause,
      detail: stop.detail,
      atSeconds,
      killAtSeconds: atSeconds + stop.graceMs / 1_000,
      signal,
    };
    const hadStarted = this.phase !== 'accepted';
    this.stopRecord = record;
    this.stopRecord = await writeStopRecord(this.directory, record);
    this.host.crashAt('afterStopRecorded');
    if (!hadStarted) return this.neverRan();
    if (this.startedAtSeconds !== null && this.host.takeBack(this.id)) return this.neverRan();
    // Whoever creates `go` first decides: if it is us, the job can never run and its supervisor will say so.
    if (this.startedAtSeconds !== null && this.leader() === null) await this.directory.forbidStart().catch(() => false);
    if (this.startedAtSeconds !== null || !this.startedHere)
      this.ending.dispatch({ kind: 'stop', graceMs: stop.graceMs });
  }

  private whenSettled(how: 'empty' | 'unkillable'): void {
    this.finish(how === 'unkillable', this.lost).catch((error: unknown) => this.host.fail(this.id, error));
  }

  private async finish(isUnkillable: boolean, lost: 'supervisorDied' | 'reboot' | null): Promise<void> {
    this.meter.add(this.tree.usage());
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
      startedAtSeconds: this.startTime(),
      part,
      meter: this.meter,
    });
    await this.conclude(end, { isUnkillable, isOnDisk: isDerivable(end) });
  }

  private async failStart(error: unknown): Promise<void> {
    const isExpected = error instanceof CannotStart;
    if (!isExpected) this.host.log.warn({ executionId: this.id, error }, 'an execution could not be prepared');
    const reason = error instanceof Error ? error.message : String(error);
    const detail = isExpected ? reason : `This worker could not prepare the job: ${reason}`;
    await this.conclude(this.endWithoutRun(isExpected ? error.outcome : 'spawnFailed', detail));
  }

  private neverRan(): Promise<void> {
    const cause = this.stopRecord?.cause;
    const outcome = cause === 'superseded' || cause === 'stopped' ? cause : 'cancelled';
    return this.conclude(this.endWithoutRun(outcome, 'It was stopped before it started.'));
  }

  private endWithoutRun(outcome: ExecutionEnd['outcome'], detail: string): ExecutionEnd {
    const usage = { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null };
    return { outcome, exit: null, detail, usage, leftovers: 0, containment: this.intent.rung, ranMs: null };
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

  private leader(): ProcessIdentity | null {
    this.identity ??= this.directory.readIdent().job;
    return this.identity;
  }

  private startTime(): number | null {
    if (this.startedAtSeconds !== null) return this.startedAtSeconds;
    const leader = this.leader();
    return leader ? leader.startTicks / TICKS_PER_SECOND : null;
  }

  private ranMs(): number {
    const now = readUptimeSeconds();
    return Math.max(0, (now - (this.startTime() ?? now)) * 1_000 - this.pauses.frozenMs(now));
  }

  private hookFacts(): { intent: Intent; directory: AttemptDirectory } {
    return { intent: this.intent, directory: this.directory };
  }
}

/** Names the machine does not know fall back to the one every program understands. */
function toSignal(name: string): NodeJS.Signals {
  return name in constants.signals ? (name as NodeJS.Signals) : 'SIGTERM';
}
