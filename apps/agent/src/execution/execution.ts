import { basename } from 'node:path';
import type { AttemptRef } from '@muster/protocol';
import type { AttemptDirectory } from '../supervisor/attempt-directory.js';
import { isAlive, readUptimeSeconds } from '../supervisor/process-identity.js';
import { writeDeadline } from '../supervisor/warden.js';
import type { Lost } from './conclusion.js';
import { WrongPhase } from './execution-errors.js';
import type { HookFacts } from './execution-hook.js';
import type { ExecutionHost } from './execution-host.js';
import { partsOf, type ExecutionParts, type ExecutionWhole } from './execution-parts.js';
import type {
  ExecutionEnd,
  ExecutionId,
  ExecutionPhase,
  ExecutionView,
  StartGrant,
  StopRequest,
} from './execution-types.js';
import { rewriteIntent, type Intent } from './intent.js';
import { prepareStart, type PreparedStart } from './prepare-start.js';
import {
  readStopRecord,
  toStopReason,
  toStopRecord,
  writeStopRecord,
  type StopRecord,
  type StopWish,
} from './stop-record.js';

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
  private phase: ExecutionPhase = 'accepted';
  private stopRecord: StopRecord | null = null;
  private lost: 'supervisorDied' | null = null;
  private isMainGone = false;
  private readonly parts: ExecutionParts;

  constructor(
    readonly directory: AttemptDirectory,
    private intent: Intent,
    private readonly host: ExecutionHost,
    /** What its start needs besides the word to go; null when an earlier agent started it. */
    private readonly prepared: Promise<PreparedStart> | null,
  ) {
    this.id = basename(directory.path) as ExecutionId;
    const whole: ExecutionWhole = {
      id: this.id,
      startedHere: prepared !== null,
      facts: () => this.hookFacts(),
      stop: () => this.stopRecord,
      settled: (isUnkillable) => this.parts.conclusion.ofTree(isUnkillable, this.lost),
      reached: (end, isUnkillable) => this.onConcluded(end, isUnkillable),
    };
    this.parts = partsOf(whole, this.hookFacts(), host);
  }

  view(): ExecutionView {
    const { ref, jobId, spec, gpus } = this.intent;
    const stopping = toStopReason(this.stopRecord);
    return { executionId: this.id, ref, jobId, spec, gpus, phase: this.phase, stopping, end: this.parts.conclusion.end };
  }

  async start(grant: StartGrant): Promise<void> {
    if (this.phase !== 'accepted' || this.stopRecord) return;
    this.phase = 'running';
    try {
      const { inCgroup } = await this.whenPrepared(grant.env ?? {});
      if (grant.deadlineMs !== undefined) await this.setDeadline(grant.deadlineMs);
      this.host.crashAt('beforeSpawn');
      // A stop that came while files were written wins: nothing has been handed over yet.
      if (this.stopRecord) return await this.parts.conclusion.ofStoppedStart();
      const { notAfterMs = Number.POSITIVE_INFINITY } = grant;
      if (this.host.clock.monotonicMs() > notAfterMs) return await this.parts.conclusion.ofLateStart();
      this.parts.clock.begin();
      this.host.supervise(this.id, { inCgroup, notAfterMs });
      this.host.crashAt('afterSpawn');
      this.host.announce('running', this.view());
    } catch (error) {
      await this.parts.conclusion.ofFailedStart(error);
    }
  }

  /** Takes over from an earlier agent; the supervisor still watches the job. */
  adopt(): void {
    this.phase = 'running';
    this.parts.clock.pauses.load();
    if (this.parts.clock.pauses.isFrozen) this.phase = 'paused';
    this.parts.looks.beginSilence();
    this.stopRecord = readStopRecord(this.directory);
    if (!this.stopRecord) return;
    const leftSeconds = this.stopRecord.killAtSeconds - readUptimeSeconds();
    this.parts.ending.dispatch({ kind: 'stop', graceMs: Math.max(0, leftSeconds * 1_000) });
  }

  /**
   * The earlier agent may have died half-way into a freeze, or out of one: whatever is shown as paused stands still, and
   * nothing else does.
   */
  async freezeAgain(): Promise<void> {
    if (this.phase !== 'paused') await this.parts.pause.release();
    else if (!(await this.parts.pause.restore())) this.phase = 'running';
  }

  /** The end was on disk before this agent looked. Resolves when the tree is empty and the end classified. */
  async settleFound(end: ExecutionEnd | null, lost: Lost | null): Promise<void> {
    this.parts.clock.pauses.load();
    this.stopRecord = readStopRecord(this.directory);
    this.phase = 'running';
    const exited = new Promise<void>((resolve) => this.host.whenExited(this.id, resolve));
    if (end) {
      // Whoever could not be killed then may be there still, and holds the slot until then.
      const isUnkillable = end.outcome === 'unkillable' && !(await this.parts.tree.look()).isEmpty;
      await this.parts.conclusion.reach(end, { isOnDisk: true, isUnkillable });
    } else if (lost === 'reboot') {
      await this.parts.conclusion.ofTree(false, 'reboot');
    } else {
      this.lost = lost;
      this.parts.ending.dispatch({ kind: 'mainExited' });
    }
    return exited;
  }

  async stop(request: StopRequest): Promise<void> {
    if (this.phase === 'exited') return;
    const graceMs = request.kind === 'forceStop' ? 0 : request.graceSeconds * 1_000;
    await this.end({ cause: request.reason, graceMs, detail: null });
    if (request.kind === 'forceStop') this.parts.ending.dispatch({ kind: 'force' });
  }

  async freeze(): Promise<void> {
    if (this.phase === 'paused') return;
    if (this.phase !== 'running' || this.parts.ending.hasBegun) throw new WrongPhase(this.id, this.phase, 'stand still');
    if (!(await this.parts.pause.freeze())) return;
    this.phase = 'paused';
    this.host.announce('paused', this.view());
  }

  async thaw(): Promise<void> {
    if (this.phase !== 'paused') return;
    await this.parts.pause.thaw();
    this.parts.looks.beginSilence();
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
    return this.parts.conclusion.ofLateStart();
  }

  /** The supervisor says so, or a look at the file: the end of the main process is on disk. */
  onMainExited(): void {
    this.host.crashAt('afterExitSeen');
    this.isMainGone = true;
    this.parts.ending.dispatch({ kind: 'mainExited' });
  }

  /** The supervisor died under this agent. What it managed to write decides; the rest of the tree goes. */
  async onSupervisorLost(): Promise<void> {
    if (this.phase === 'exited' || this.directory.readStatus()) return this.onMainExited();
    // Nobody will start it any more, unless its process is already on the way: then it is killed with the tree.
    await this.directory.forbidStart().catch(() => false);
    if (this.directory.readStatus() === null) this.lost = 'supervisorDied';
    this.isMainGone = true;
    this.parts.ending.dispatch({ kind: 'mainExited' });
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
    if (this.phase !== 'running' || this.parts.ending.hasBegun) return;
    const hit = await this.parts.looks.look(isFullLook);
    if (!hit) return;
    await this.end({
      cause: hit.cause,
      graceMs: hit.isUrgent ? 0 : this.intent.spec.graceSeconds * 1_000,
      detail: hit.detail,
    });
    if (hit.isUrgent) this.parts.ending.dispatch({ kind: 'force' });
  }

  /** It is forgotten before it was started: gives back what was made for it. */
  abandon(): void {
    this.parts.conclusion.cleanUp();
  }

  /** Lets go of timers; the process lives on. */
  release(): void {
    this.parts.ending.release();
  }

  private async end(wish: StopWish): Promise<void> {
    if (this.stopRecord) return;
    const record = toStopRecord(wish, this.intent.spec.stopSignal, readUptimeSeconds());
    const hadStarted = this.phase !== 'accepted';
    this.stopRecord = record;
    this.stopRecord = await writeStopRecord(this.directory, record);
    this.host.crashAt('afterStopRecorded');
    if (!hadStarted) return this.parts.conclusion.ofStoppedStart();
    if (this.parts.clock.hasBegunHere && this.host.takeBack(this.id)) return this.parts.conclusion.ofStoppedStart();
    // Whoever creates `go` first decides: if it is us, the job can never run and its supervisor will say so.
    if (this.parts.clock.hasBegunHere && this.parts.clock.leader() === null) await this.directory.forbidStart().catch(() => false);
    if (this.parts.clock.hasBegunHere || this.prepared === null) this.parts.ending.dispatch({ kind: 'stop', graceMs: wish.graceMs });
  }

  /** Writes again only what this grant adds to what every job is given. */
  private async whenPrepared(grantedEnv: Readonly<Record<string, string>>): Promise<PreparedStart> {
    if (!this.prepared) throw new WrongPhase(this.id, this.phase, 'be started');
    const prepared = await this.prepared;
    if (Object.keys(grantedEnv).length === 0) return prepared;
    const env = { ...this.host.jobEnvironment, ...grantedEnv };
    const { runScript } = await prepareStart(this.host, this.hookFacts(), env);
    await this.host.lane.run([this.directory.written(runScript)]);
    return prepared;
  }

  private onConcluded(end: ExecutionEnd, isUnkillable: boolean): void {
    this.phase = 'exited';
    this.parts.ending.release();
    this.host.exited(this.id, isUnkillable ? this.parts.tree : null, { ...this.view(), end });
  }

  private hookFacts(): HookFacts {
    return { intent: this.intent, directory: this.directory };
  }
}
