/**
 * A program that is a worker over REST and keeps nothing: it registers, beats, asks for jobs and waits, carries them out as
 * its children, and tells their logs and ends. Its processes die with it. Every request travels by itself.
 */
import type { AttemptEnd, AttemptRef, ExecutionReport, Offer, Verdict, WorkerId } from '@muster/protocol';
import type { Posted } from './agent-host.js';
import type { Host } from './host.js';
import type { HttpAnswer, HttpSender } from './http-desk.js';
import { HttpJob } from './http-job.js';
import type { Directory, Machine } from './machine.js';
import type { Connection } from './network.js';
import type { Replica } from './replica.js';
import type { World } from './world.js';

/** Longest wait for a job in one request; the client gives it a little more before it gives up. */
const CLAIM_WAIT_MS = 6_000;

export class HttpProgram implements Host {
  isAlive = true;
  private session: number | null = null;
  private readonly jobs = new Map<Directory, HttpJob>();
  private asking = 0;

  constructor(
    readonly world: World,
    readonly machine: Machine,
  ) {
    this.register();
  }

  get workerId(): WorkerId {
    return this.machine.workerId;
  }

  get isIdle(): boolean {
    return this.isAlive && this.session !== null && this.jobs.size === 0;
  }

  get sender(): HttpSender | null {
    return this.session === null ? null : { workerId: this.workerId, session: this.session };
  }

  describe(): string {
    return `program ${this.isAlive ? 'alive' : 'dead'} session ${this.session} ${[...this.jobs.values()].map((job) => job.describe()).join(' ')}`;
  }

  /** An operator stops it, with its jobs: there is no other way. */
  post(event: Posted): void {
    if (event.type === 'stopAsked') this.restart(5_000);
  }

  ended(directory: Directory): void {
    this.jobs.get(directory)?.ended();
  }

  die(why: string): void {
    if (!this.isAlive) return;
    this.world.trace(() => `machine ${this.machine.index} program dies: ${why}`);
    this.isAlive = false;
    for (const directory of this.machine.disk.values()) this.machine.endProcess(directory, 'lost');
    this.machine.disk.clear();
  }

  drop(): void {}

  lose(_connection: Connection): void {}

  wake(): void {}

  /**
   * One request: it may be lost, come twice or late, and so may its answer. Not answered within the time given to it, it counts
   * as failed, whatever comes then.
   */
  ask<T>(send: (replica: Replica, answer: (answer: HttpAnswer<T>) => void) => void, answered: (answer: HttpAnswer<T> | 'timeout', sentMs: number) => void, withinMs = this.world.settings.requestTimeoutMs): void {
    if (!this.isAlive || this.isStruck()) return;
    const sentMs = this.machine.clockMs;
    const connection = this.world.connect(this, false);
    let isOver = false;
    const once = (answer: HttpAnswer<T> | 'timeout'): void => {
      if (isOver || !this.isAlive) return;
      isOver = true;
      if (answer !== 'timeout' && 'refused' in answer) this.onRefused(answer.refused);
      if (this.isAlive && !this.isStruck()) answered(answer, sentMs);
    };
    this.world.after(withinMs, () => once('timeout'));
    if (connection === null) return;
    this.world.network.up(connection, () =>
      connection.replica.step(this.world.random.between(1, 20), () => {
        // As after a database that forgot its last moments, or a key that was exchanged.
        if (this.world.fate.chance(this.world.faults.dropRate / 10)) this.world.network.down(connection, () => once({ refused: 'gone' }));
        else send(connection.replica, (answer) => this.world.network.down(connection, () => once(answer)));
      }),
    );
  }

  /** It stands nowhere any more: told its end, or nobody wants it. */
  forget(directory: Directory): void {
    this.jobs.delete(directory);
    this.machine.remove(directory);
  }

  private isStruck(): boolean {
    if (!this.world.fate.chance(this.world.faults.agentCrashRate)) return false;
    this.world.count('program crashes');
    this.restart(this.world.fate.chance(0.1) ? this.world.absenceMs() : 5_000);
    return true;
  }

  private restart(withinMs: number): void {
    this.die('restart');
    this.world.after(this.world.random.between(200, withinMs), () => this.machine.startAgent());
  }

  private register(): void {
    this.session = null;
    const { slots } = this.machine;
    const executions = this.reports();
    this.ask<{ session: number; verdicts: readonly Verdict[] }>(
      (replica, answer) => replica.http.register({ workerId: this.workerId, slots, executions }, answer),
      (answer, sentMs) => {
        if (answer === 'timeout' || 'refused' in answer) return this.later(() => this.session === null && this.register());
        this.world.count(executions.length > 0 ? 'registered again with jobs' : 'programs registered');
        this.session = answer.ok.session;
        this.take(answer.ok.verdicts, sentMs);
        this.beat(answer.ok.session);
        this.claim(answer.ok.session);
      },
    );
  }

  private onRefused(reason: 'gone' | 'superseded' | 'away'): void {
    if (reason === 'away') return;
    if (reason === 'superseded') {
      this.world.count('programs superseded');
      this.world.programEnds(this);
    } else if (this.session !== null) {
      this.world.count('programs told to register again');
      this.register();
    }
  }

  /** For as long as it is in this session. */
  private beat(session: number): void {
    const again = (): void => this.later(() => this.session === session && this.beat(session), this.world.settings.beatIntervalMs);
    const slotsFree = Math.max(0, this.machine.slots - this.jobs.size);
    const executions = this.reports();
    this.ask<{ verdicts: readonly Verdict[] }>(
      (replica, answer) => replica.http.beat({ workerId: this.workerId, session }, executions, slotsFree, answer),
      (answer, sentMs) => {
        if (answer !== 'timeout' && 'ok' in answer) this.take(answer.ok.verdicts, sentMs);
        again();
      },
    );
  }

  private claim(session: number): void {
    const again = (): void => this.later(() => this.session === session && this.claim(session), this.world.random.between(50, 1_000));
    if (this.jobs.size + this.asking >= this.machine.slots) return again();
    this.asking += 1;
    const executions = this.reports();
    this.ask<Offer | null>(
      (replica, answer) => replica.http.claim({ workerId: this.workerId, session }, executions, CLAIM_WAIT_MS, answer),
      (answer) => {
        this.asking -= 1;
        if (answer !== 'timeout' && 'ok' in answer && answer.ok !== null && this.session === session) this.begin(answer.ok);
        again();
      },
      CLAIM_WAIT_MS + 5_000,
    );
  }

  private begin(offer: Offer): void {
    if (this.machine.disk.has(offer.attemptId)) return;
    const job = new HttpJob(this, offer);
    this.machine.disk.set(offer.attemptId, job.directory);
    this.jobs.set(job.directory, job);
    job.askToStart();
  }

  private reports(): ExecutionReport[] {
    return [...this.jobs.values()].flatMap((job) => job.report() ?? []);
  }

  private take(verdicts: readonly Verdict[], sentMs: number): void {
    this.world.auditor.unwanted(verdicts);
    for (const verdict of verdicts) this.jobOf(verdict.ref)?.take(verdict, sentMs);
  }

  private jobOf({ attemptId, epoch }: AttemptRef): HttpJob | undefined {
    return [...this.jobs.values()].find(({ directory: { ref } }) => ref.attemptId === attemptId && ref.epoch === epoch);
  }

  /** After a pause that lets nobody be asked without end. */
  later(run: () => void, afterMs = this.world.random.between(200, 2_000)): void {
    this.world.after(afterMs, () => this.isAlive && run());
  }

  /** As the session it is in now. */
  complete(end: AttemptEnd, answered: (isHeard: boolean) => void): void {
    const { sender } = this;
    if (sender === null) return answered(false);
    this.ask<{ kind: 'accepted' | 'repeated' | 'superseded' }>(
      (replica, answer) => {
        this.world.auditor.endArrived(this.machine, end);
        replica.http.complete(sender, end, answer);
      },
      (answer) => {
        const isHeard = answer !== 'timeout' && 'ok' in answer;
        if (isHeard) this.world.auditor.endAnswered(end, answer);
        answered(isHeard);
      },
    );
  }
}
