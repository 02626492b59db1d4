/** A machine: a clock with drift, a disk, and processes that know nothing of agents. Outlives every agent started on it. */
import type { EndReport, Intent, RecoveredExecution, StopCause } from '@muster/domain';
import type { AttemptId, AttemptRef, JobId, Outcome, WorkerId } from '@muster/protocol';
import { AgentHost } from './agent-host.js';
import { Violation } from './invariants.js';
import type { World } from './world.js';

/** What a job does when it runs; the same at every try. */
export interface JobPlan {
  readonly runMs: number;
  readonly exitCode: number;
  readonly bytesPerSecond: number;
  readonly ignoresStop: boolean;
  readonly failsToSpawn: boolean;
}

export interface Process {
  readonly jobId: JobId;
  readonly executionId: AttemptId;
  readonly plan: JobPlan;
  readonly beganMs: number;
  endedMs: number | null;
}

/** One attempt's directory: what is durable. */
export interface Directory {
  readonly intent: Intent;
  ref: AttemptRef;
  deadlineMs: number | null;
  stop: { readonly cause: StopCause; readonly isForced: boolean } | null;
  process: Process | null;
  end: EndReport | null;
  isSettled: boolean;
}

const NO_USAGE = { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null };
const OUTCOME_OF_STOP: Record<StopCause, Outcome> = { cancelled: 'cancelled', superseded: 'superseded', leaseOver: 'lost', workerStopped: 'stopped' };

export class Machine {
  readonly disk = new Map<AttemptId, Directory>();
  /** Directories that were removed, for the checks at the end. */
  readonly slots: number;
  host: AgentHost | null = null;
  /** Its identity was taken over by another machine: nobody will look after what is left here. */
  isAbandoned = false;
  private startCount = 0;
  private readonly rate: number;
  private readonly clockStartMs: number;

  constructor(
    private readonly world: World,
    readonly index: number,
    readonly workerId: WorkerId,
    options: { readonly slots: number; readonly startCount: number },
  ) {
    this.slots = options.slots;
    this.startCount = options.startCount;
    this.rate = 1 + world.random.between(-0.01, 0.01);
    this.clockStartMs = world.random.between(0, 1_000_000);
  }

  /** The boot clock: monotonic, up to 1 % fast or slow. */
  get clockMs(): number {
    return this.clockStartMs + this.world.nowMs * this.rate;
  }

  afterClock(clockMs: number, run: () => void): void {
    this.world.after((clockMs - this.clockMs) / this.rate, run);
  }

  startAgent(): void {
    if (this.isAbandoned || this.host?.isAlive === true) return;
    this.startCount += 1;
    this.host = new AgentHost(this.world, this, this.startCount, this.recovered());
  }

  /** All processes die with it; the disk stays. */
  reboot(): void {
    this.world.count('reboots');
    this.host?.die('reboot');
    for (const directory of this.disk.values()) this.endProcess(directory, 'lost');
    this.world.after(this.world.random.between(1_000, 8_000), () => this.startAgent());
  }

  spawn(directory: Directory): void {
    const plan = this.world.planOf(directory.intent.jobId);
    if (plan.failsToSpawn) {
      directory.end = report('spawnFailed', null);
      this.host?.ended(directory);
      return;
    }
    const process: Process = { jobId: directory.intent.jobId, executionId: directory.intent.executionId, plan, beganMs: this.world.nowMs, endedMs: null };
    directory.process = process;
    this.world.processBegan(this, process);
    this.world.after(plan.runMs, () => {
      if (process.endedMs === null) this.endProcess(directory, plan.exitCode === 0 ? 'succeeded' : 'failed');
    });
    this.armWarden(directory);
  }

  /** The ladder: some end at the signal, some only at KILL, which needs the agent that began it. */
  stop(directory: Directory, graceSeconds: number, host: AgentHost): void {
    const { process } = directory;
    if (process === null || process.endedMs !== null) return;
    const outcome = (): Outcome => OUTCOME_OF_STOP[directory.stop?.cause ?? 'cancelled'];
    const killMs = graceSeconds * 1_000 + 20;
    if (!process.plan.ignoresStop) this.world.after(this.world.random.between(5, Math.max(10, killMs)), () => this.endProcess(directory, outcome()));
    this.world.after(killMs, () => {
      if (host.isAlive) this.endProcess(directory, outcome());
    });
  }

  /** The timer outside the agent. It looks once a second and needs nobody. */
  armWarden(directory: Directory): void {
    const { deadlineMs } = directory;
    if (deadlineMs === null || !this.world.reducers.shell.hasWarden) return;
    this.afterClock(deadlineMs + this.world.random.between(0, 1_000), () => {
      const isOver = directory.deadlineMs !== null && directory.deadlineMs <= this.clockMs;
      if (!isOver || directory.process?.endedMs !== null) return;
      this.world.count('fenced');
      this.endProcess(directory, 'lost');
    });
  }

  endProcess(directory: Directory, outcome: Outcome): void {
    const { process } = directory;
    if (process === null || process.endedMs !== null) return;
    process.endedMs = this.world.nowMs;
    directory.end = report(outcome, outcome === 'succeeded' || outcome === 'failed' ? process.plan.exitCode : null);
    this.world.trace(() => `machine ${this.index} process of ${process.executionId} ends: ${outcome}`);
    this.host?.ended(directory);
  }

  producedBytes(process: Process): number {
    const runMs = (process.endedMs ?? this.world.nowMs) - process.beganMs;
    return Math.floor((runMs * process.plan.bytesPerSecond) / 1_000);
  }

  liveProcesses(): Process[] {
    return [...this.disk.values()].flatMap(({ process }) => (process !== null && process.endedMs === null ? [process] : []));
  }

  /** P9: a directory may go only when nobody needs it any more. */
  remove(directory: Directory): void {
    const { executionId } = directory.intent;
    if (directory.process !== null) {
      if (directory.process.endedMs === null) throw new Violation('process without directory', executionId);
      const stored = this.world.database.logs.get(executionId) ?? 0;
      const produced = this.producedBytes(directory.process);
      if (stored !== produced) throw new Violation('I6 log', `${executionId} was forgotten with ${stored} of ${produced} bytes stored`);
    }
    this.disk.delete(executionId);
  }

  private recovered(): RecoveredExecution[] {
    return [...this.disk.values()].map((directory): RecoveredExecution => {
      const { intent, ref, deadlineMs, stop, process, end, isSettled } = directory;
      if (process !== null && process.endedMs === null) this.world.count('adopted');
      const isRunning = process !== null && process.endedMs === null;
      const state = isSettled ? 'settled' : end !== null ? 'exited' : isRunning ? 'running' : 'accepted';
      const { executionId, jobId, number, spec, gpus, offerTtlMs } = intent;
      return { executionId, ref, jobId, number, spec, gpus, offerTtlMs, state, deadlineMs, end, stop, isLogDone: process === null && end !== null };
    });
  }
}

function report(outcome: Outcome, code: number | null): EndReport {
  const exit = code === null ? null : { code, signal: null };
  return { outcome, exit, detail: null, usage: NO_USAGE, containment: 'group', leftovers: 0, logs: {}, ranMs: null };
}
