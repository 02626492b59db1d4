/** A machine: a boot clock, a disk, and processes that know nothing of agents. Outlives every agent started on it. */
import type { EndReport, Intent, RecoveredExecution, StopCause } from '@muster/domain';
import type { AttemptId, AttemptRef, Outcome, Refusal, WorkerId } from '@muster/protocol';
import { Violation } from '../invariants/violation.js';
import { AgentHost } from './agent-host.js';
import type { Host } from './host.js';
import { HttpProgram } from './http-program.js';
import { Process } from './process.js';
import { report } from './report.js';
import type { World } from './world.js';

/** One attempt's directory: what is durable. */
export interface Directory {
  readonly intent: Intent;
  ref: AttemptRef;
  deadlineMs: number | null;
  stop: { readonly cause: StopCause; readonly isForced: boolean } | null;
  process: Process | null;
  end: EndReport | null;
  isSettled: boolean;
  /** Its start was ordered, and the process is not there yet. */
  isStarting: boolean;
  /** Its start came too late once: nothing can ever run in it. */
  isSpent: boolean;
  /** Not on disk yet, whatever was said: gone with the agent. */
  isVolatile: boolean;
  /** It stands on another machine's disk as well, with the process if there is one. */
  readonly isCopy: boolean;
}

const OUTCOME_OF_STOP: Record<StopCause, Outcome> = { cancelled: 'cancelled', superseded: 'superseded', leaseOver: 'lost', workerStopped: 'stopped' };
/** How much later than at a deadline the warden may look: it knows whole seconds, and sleeps one between two looks. */
const WARDEN_LATE_MS = 2_200;

export class Machine {
  readonly disk: Map<AttemptId, Directory>;
  /** Its worker is a program over REST, not an agent. */
  readonly isHttp: boolean;
  /** As its agent is configured. */
  readonly slots: number;
  /** The most that it ever had, by its configuration or by people. */
  slotsMost: number;
  host: Host | null = null;
  /** Its identity was taken over by another machine: nobody will look after what is left here. */
  isAbandoned = false;
  isWardenAlive = true;
  /** Why no offers are taken here at the moment. */
  objection: Refusal | null = null;
  startCount: number;
  /** Ended for everybody, and still there: not even KILL helped yet. They hold what they held. */
  private readonly undead = new Map<Process, Directory | null>();
  private readonly rate: number;
  private bootClockMs: number;

  constructor(
    private readonly world: World,
    readonly index: number,
    readonly workerId: WorkerId,
    options: { readonly slots: number; readonly startCount: number; readonly disk?: Map<AttemptId, Directory>; readonly isHttp?: boolean },
  ) {
    this.disk = options.disk ?? new Map();
    this.isHttp = options.isHttp === true;
    this.slots = options.slots;
    this.slotsMost = options.slots;
    this.startCount = options.startCount;
    const drift = world.random.between(-0.01, 0.01);
    this.rate = world.settings.faults.isDrifting ? 1 + drift : 1;
    this.bootClockMs = world.random.between(0, 1_000_000);
  }

  /** The boot clock: monotonic, up to 1 % fast or slow, and from zero again after a reboot. */
  get clockMs(): number {
    return this.bootClockMs + this.world.nowMs * this.rate;
  }

  openSlots(slots: number): void {
    this.world.count('slots changed live');
    this.slotsMost = Math.max(this.slotsMost, slots);
  }

  get undeadCount(): number {
    return this.undead.size;
  }

  /** When, in the world's time, the boot clock shows this. */
  worldMs(clockMs: number): number {
    return (clockMs - this.bootClockMs) / this.rate;
  }

  afterClock(clockMs: number, run: () => void): void {
    this.world.after((clockMs - this.clockMs) / this.rate, run);
  }

  startAgent(): void {
    if (this.isAbandoned || this.host?.isAlive === true) return;
    this.startCount += 1;
    this.host = this.isHttp ? new HttpProgram(this.world, this) : new AgentHost(this.world, this, this.startCount, this.recovered());
  }

  /** All processes die with it; the disk stays. */
  reboot(): void {
    this.world.count('reboots');
    this.host?.die('reboot');
    for (const process of [...this.undead.keys()]) this.releaseUndead(process);
    for (const directory of this.disk.values()) this.endProcess(directory, 'lost');
    this.bootClockMs = -this.world.nowMs * this.rate;
    this.isWardenAlive = true;
    const isLong = this.world.random.chance(0.2);
    this.world.after(isLong ? this.world.absenceMs() : this.world.random.between(1_000, 8_000), () => this.startAgent());
  }

  spawn(directory: Directory): void {
    const { intent } = directory;
    const plan = this.world.planOf(intent.jobId);
    directory.isStarting = false;
    if (plan.failsToSpawn) {
      directory.end = report('spawnFailed', null, null);
      this.host?.ended(directory);
      return;
    }
    const process = new Process(intent.jobId, intent.executionId, intent.gpus, plan, this.world.nowMs);
    directory.process = process;
    this.world.auditor.processBegan(this, process);
    this.planEnd(directory, process);
    this.armWarden(directory);
    if (plan.limitMs !== null) this.watchLimit(directory, process, plan.limitMs);
  }

  freeze(directory: Directory): boolean {
    const { process } = directory;
    if (process === null || process.endedMs !== null || directory.stop !== null) return false;
    this.world.count('processes frozen');
    process.freeze(this.world.nowMs);
    return true;
  }

  thaw(directory: Directory): boolean {
    const { process } = directory;
    if (process === null || process.endedMs !== null) return false;
    if (process.isFrozen) this.world.count('processes thawed');
    process.thaw(this.world.nowMs);
    this.planEnd(directory, process);
    return true;
  }

  /** The ladder: some end at the signal, some only at KILL, which needs the agent that began it. */
  stop(directory: Directory, graceSeconds: number, host: Host): void {
    const { process } = directory;
    if (directory.isStarting) {
      directory.isStarting = false;
      directory.end = report(this.outcomeOfStop(directory), null, null);
      host.ended(directory);
    }
    if (process === null || process.endedMs !== null) return;
    if (process.isFrozen && this.world.reducers.shell.thawsToStop) this.thaw(directory);
    const { random } = this.world;
    const killMs = graceSeconds * 1_000 + 20;
    const hearsStop = !process.plan.ignoresStop && graceSeconds > 0;
    if (hearsStop) {
      this.world.after(random.between(5, killMs * 0.9), () => {
        if (!process.isFrozen) this.endProcess(directory, this.outcomeOfStop(directory));
      });
    }
    this.world.after(killMs, () => {
      if (!host.isAlive || process.endedMs !== null) return;
      if (hearsStop && process.isFrozen) throw new Violation('a stop is heard', `${process.executionId} was killed without having heard its signal`);
      const isUnkillable = random.chance(this.world.faults.unkillableRate) && !this.isHttp;
      if (isUnkillable) this.remain(process);
      this.endProcess(directory, isUnkillable ? 'unkillable' : this.outcomeOfStop(directory));
    });
  }

  /** The timer outside the agent. It looks once a second, needs nobody, and kills without grace. */
  armWarden(directory: Directory): void {
    const { deadlineMs } = directory;
    if (deadlineMs === null) return;
    this.isWardenAlive = true;
    if (!this.world.reducers.shell.hasWarden) return;
    this.afterClock(deadlineMs + this.world.random.between(0, WARDEN_LATE_MS), () => this.wardenLooks(directory));
  }

  endProcess(directory: Directory, outcome: Outcome): void {
    const { process } = directory;
    if (process === null || process.endedMs !== null) return;
    const { nowMs } = this.world;
    process.end(nowMs);
    process.hasFinished = outcome === 'succeeded' || outcome === 'failed';
    if (outcome === 'succeeded') this.world.succeeded.add(process.executionId);
    directory.end = report(outcome, process.hasFinished ? process.plan.exitCode : null, process.ranMs(nowMs));
    this.world.trace(() => `machine ${this.index} process of ${process.executionId} ends: ${outcome}`);
    this.host?.ended(directory);
  }

  /** Alive, without those that only wait to be gone. */
  livingProcesses(): Process[] {
    const living: Process[] = [];
    for (const { process } of this.disk.values()) if (process !== null && process.endedMs === null) living.push(process);
    return living;
  }

  /** All that hold memory and devices here. */
  processes(): Process[] {
    return [...this.livingProcesses(), ...this.undead.keys()];
  }

  remove(directory: Directory): void {
    this.world.auditor.directoryGoes(this, directory);
    // By the directory a later agent knows that its processes are there still.
    if (directory.process !== null && this.undead.has(directory.process)) this.undead.set(directory.process, directory);
    else this.disk.delete(directory.intent.executionId);
  }

  /** The machine begins, or ceases, to object to all offers. */
  object(objection: Refusal | null): void {
    if (this.objection === objection) return;
    this.objection = objection;
    this.host?.post({ type: 'objectionChanged', objection });
  }

  releaseUndead(process: Process): void {
    const putOff = this.undead.get(process);
    if (!this.undead.delete(process)) return;
    if (putOff != null) this.disk.delete(putOff.intent.executionId);
    this.host?.post({ type: 'slotReleased' });
  }

  private remain(process: Process): void {
    this.world.count('unkillable processes');
    this.undead.set(process, null);
    this.world.after(this.world.random.between(1_000, 60_000), () => this.releaseUndead(process));
  }

  private outcomeOfStop(directory: Directory): Outcome {
    return OUTCOME_OF_STOP[directory.stop?.cause ?? 'cancelled'];
  }

  private planEnd(directory: Directory, process: Process): void {
    const leftMs = process.plan.runMs - process.ranMs(this.world.nowMs);
    this.world.after(leftMs, () => {
      const isDue = process.endedMs === null && !process.isFrozen && process.ranMs(this.world.nowMs) >= process.plan.runMs - 0.001;
      if (isDue) this.endProcess(directory, process.plan.exitCode === 0 ? 'succeeded' : 'failed');
    });
  }

  /** The agent's own watch: it sees only while it is there. */
  private watchLimit(directory: Directory, process: Process, limitMs: number): void {
    const countedMs = (): number => (this.world.reducers.shell.stopsRunClockWhileFrozen ? process.ranMs(this.world.nowMs) : process.wallMs(this.world.nowMs));
    this.world.after(Math.max(1_000, limitMs - countedMs()), () => {
      if (process.endedMs !== null) return;
      if (countedMs() < limitMs || this.host?.isAlive !== true) return this.watchLimit(directory, process, limitMs);
      if (process.ranMs(this.world.nowMs) < limitMs) throw new Violation('frozen time does not count', `${process.executionId} was ended by its run limit`);
      this.endProcess(directory, 'timedOut');
    });
  }

  private wardenLooks(directory: Directory): void {
    const { deadlineMs, process } = directory;
    if (process === null || process.endedMs !== null || deadlineMs === null || deadlineMs > this.clockMs) return;
    // It reads the disk: what does not stand there it does not know.
    if (this.disk.get(directory.intent.executionId) !== directory) return;
    // A program over REST has the timer in itself, and dies with its processes.
    if (!this.isWardenAlive && !this.isHttp) {
      this.world.after(1_000, () => this.wardenLooks(directory));
      return;
    }
    this.world.count('fenced');
    this.endProcess(directory, 'lost');
  }

  private recovered(): RecoveredExecution[] {
    // What the last agent put off is this one's to finish.
    for (const process of this.undead.keys()) this.undead.set(process, null);
    for (const directory of [...this.disk.values()]) {
      if (!directory.isVolatile) continue;
      if (directory.process?.endedMs === null) throw new Violation('P12 on disk before it begins', directory.intent.executionId);
      this.disk.delete(directory.intent.executionId);
    }
    return [...this.disk.values()].map((directory): RecoveredExecution => {
      const { process, intent, ref, stop, isSettled } = directory;
      const isRunning = process !== null && process.endedMs === null;
      if (isRunning) this.world.count('adopted');
      // It was not started and cannot start by itself any more: its start is asked for again, or it is told as an end that costs the job nothing.
      const isUnbegun = process === null && directory.end === null;
      const asksAgain = isUnbegun && !directory.isSpent && this.world.random.chance(0.3);
      if (isUnbegun && !asksAgain) directory.end = report('refused', null, null);
      directory.isStarting = false;
      const state = isSettled ? 'settled' : asksAgain ? 'accepted' : !isRunning ? 'exited' : process.isFrozen ? 'paused' : 'running';
      const { executionId, jobId, number, spec, gpus, offerTtlMs } = intent;
      const known = stop === null ? null : { cause: stop.cause, isForced: false };
      return { executionId, ref, jobId, number, spec, gpus, offerTtlMs, state, deadlineMs: null, end: directory.end, stop: known, isLogDone: false };
    });
  }
}
