/** One attempt as a program over REST carries it out. */
import { fenceMs } from '@muster/domain';
import { TIMES } from '@muster/protocol';
import type { ExecutionReport, LogAck, Offer, StartAck, Verdict } from '@muster/protocol';
import type { HttpProgram } from './http-program.js';
import type { Directory } from './machine.js';
import { report } from './report.js';

const LATE_MAX = 3;

export class HttpJob {
  readonly directory: Directory;
  private isUnwanted = false;
  private isTold = false;
  private stored = 0;
  private lateGoes = 0;

  constructor(
    private readonly program: HttpProgram,
    private readonly offer: Offer,
  ) {
    const { attemptId, epoch, jobId, number, spec, gpus, offerTtlMs } = offer;
    const ref = { attemptId, epoch };
    this.directory = {
      intent: { executionId: attemptId, ref, jobId, number, spec, gpus, offerTtlMs }, ref, deadlineMs: null, stop: null, process: null, end: null,
      isSettled: false, isStarting: false, isSpent: false, isVolatile: false, isCopy: false,
    };
  }

  describe(): string {
    const { ref, process, end } = this.directory;
    return `${ref.attemptId} ${end?.outcome ?? (process === null ? 'accepted' : 'running')} ${this.isTold ? 'told' : ''} ${this.stored} stored`;
  }

  /** Null: nobody wants to hear of it any more. */
  report(): ExecutionReport | null {
    const { ref, process, end } = this.directory;
    if (this.isUnwanted || this.isTold) return null;
    return { ...ref, state: end !== null ? 'exited' : process === null ? 'accepted' : process.isFrozen ? 'paused' : 'running' };
  }

  askToStart(): void {
    const { program, directory } = this;
    const { sender } = program;
    if (sender === null) return program.later(() => this.isWaiting() && this.askToStart());
    program.ask<StartAck>(
      (replica, answer) => replica.http.start(sender, directory.ref, answer),
      (answer, sentMs) => {
        if (!this.isWaiting()) return;
        if (answer === 'timeout' || 'refused' in answer) program.later(() => this.isWaiting() && this.askToStart());
        else if (answer.ok.kind === 'no' && answer.ok.reason === 'cancelled') this.neverRuns();
        else if (answer.ok.kind === 'no') program.forget(directory);
        else this.go(answer.ok.leaseMs, sentMs);
      },
    );
  }

  take(verdict: Verdict, sentMs: number): void {
    const { program, directory } = this;
    switch (verdict.kind) {
      case 'keep':
        // Before it runs what is left is the term of the offer.
        if (directory.process !== null) this.fence(verdict.leaseMs, sentMs);
        if (verdict.command?.kind === 'freeze') program.machine.freeze(directory);
        else if (verdict.command?.kind === 'thaw') program.machine.thaw(directory);
        else if (verdict.command) this.stop(verdict.command.isPlanned === true ? 'workerStopped' : 'cancelled', verdict.command.kind === 'forceStop' ? 0 : verdict.command.graceSeconds);
        return;
      case 'stop':
        this.isUnwanted = true;
        this.stop('superseded', 0);
        if (directory.process === null) program.forget(directory);
        return;
      case 'reclaimed':
        directory.ref = verdict.attempt;
        return;
      case 'unleased':
        if (directory.intent.spec.disconnect.exclusive) this.stop('leaseOver', 0);
        return;
      case 'reportEnd':
        return;
    }
  }

  /** The process is gone: tell that, and all it printed. */
  ended(): void {
    const { directory } = this;
    // That it does not know is nothing a program may say.
    if (directory.end?.outcome === 'lost') directory.end = report('failed', null, directory.end.ranMs);
    this.tell();
    this.ship();
  }

  private go(leaseMs: number | null, sentMs: number): void {
    const { program, directory } = this;
    const lastMs = sentMs + Math.min(this.offer.offerTtlMs * TIMES.agentShare, leaseMs === null ? Infinity : fenceMs(leaseMs));
    if (program.machine.clockMs > lastMs) {
      this.lateGoes += 1;
      if (this.lateGoes < LATE_MAX) return this.askToStart();
      directory.end = report('refused', null, null);
      return this.tell();
    }
    this.fence(leaseMs, sentMs);
    program.machine.spawn(directory);
    program.world.count('processes over REST');
    this.ship();
  }

  private fence(leaseMs: number | null, sentMs: number): void {
    const { program, directory } = this;
    if (!directory.intent.spec.disconnect.exclusive || leaseMs === null || directory.end !== null) return;
    const deadlineMs = sentMs + fenceMs(leaseMs);
    if (directory.deadlineMs !== null && deadlineMs <= directory.deadlineMs) return;
    directory.deadlineMs = deadlineMs;
    program.world.auditor.deadlineSet(program.machine, directory.ref.attemptId, deadlineMs);
    program.machine.armWarden(directory);
  }

  /** It was cancelled before it began, and waits for a word of that. */
  private neverRuns(): void {
    this.directory.end = report('cancelled', null, null);
    this.tell();
  }

  private stop(cause: NonNullable<Directory['stop']>['cause'], graceSeconds: number): void {
    const { program, directory } = this;
    if (directory.stop !== null || directory.process === null || directory.process.endedMs !== null) return;
    directory.stop = { cause, isForced: graceSeconds === 0 };
    program.machine.stop(directory, graceSeconds, program);
  }

  private isWaiting(): boolean {
    const { process, end, intent } = this.directory;
    return process === null && end === null && this.program.machine.disk.has(intent.executionId);
  }

  private tell(): void {
    const { program, directory } = this;
    const { end } = directory;
    if (end === null || this.isTold) return;
    if (this.isUnwanted) return this.settle();
    program.complete({ ...end, ...directory.ref }, (isHeard) => {
      if (isHeard) this.settle();
      else program.later(() => this.tell());
    });
  }

  private settle(): void {
    this.isTold = true;
    this.finish();
  }

  private ship(): void {
    const { program, directory } = this;
    const { process } = directory;
    if (process === null || !program.machine.disk.has(directory.intent.executionId)) return;
    const again = (afterMs: number): void => program.later(() => this.ship(), afterMs);
    const produced = process.producedBytes(program.world.nowMs);
    const { sender } = program;
    if (this.stored >= produced && process.endedMs !== null) return this.finish();
    if (sender === null || this.stored >= produced) return again(program.world.settings.shipEveryMs);
    const chunk = { offset: this.stored, rawLength: Math.min(65_536, produced - this.stored) };
    program.ask<LogAck>(
      (replica, answer) => replica.http.log(sender, directory.ref, chunk, answer),
      (answer) => {
        if (answer !== 'timeout' && 'ok' in answer && 'storedLength' in answer.ok) this.stored = Math.max(this.stored, answer.ok.storedLength);
        again(process.endedMs === null ? program.world.settings.shipEveryMs : 50);
      },
    );
  }

  /** Its end is heard and its log is stored. */
  private finish(): void {
    const { program, directory } = this;
    const { process, intent } = directory;
    const isStored = process === null || (process.endedMs !== null && this.stored >= process.producedBytes(program.world.nowMs));
    if (this.isTold && isStored && program.machine.disk.has(intent.executionId)) program.forget(directory);
  }
}
