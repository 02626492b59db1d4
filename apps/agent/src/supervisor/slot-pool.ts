import type { Clock } from '@muster/runtime';
import { PendingWork } from './pending-work.js';
import { newExecutionId, type SeatMaker } from './seat-maker.js';
import type { SlotListener } from './slot-listener.js';
import { SLOT_SCRIPT } from './slot-script.js';
import { installScript, SlotSupervisor, type Seat, type SlotEvent } from './slot-supervisor.js';

export interface StartOrder {
  /** The job enters the control group named after its execution. */
  readonly inCgroup: boolean;
  /** Last moment (boot clock, milliseconds) at which a supervisor may be told. */
  readonly notAfterMs: number;
}

export interface SlotPoolOptions {
  /** Supervisors at the beginning. */
  readonly size: number;
  readonly shellPath: string;
  readonly stateDir: string;
  readonly attemptsDir: string;
  /** Where the supervisors find cgroups named after executions; empty when there are none. */
  readonly cgroupRoot: string;
  /** Null prepares nothing ahead. */
  readonly seats: SeatMaker | null;
  readonly listener: SlotListener;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly warn: (fields: Record<string, unknown>, message: string) => void;
}

const RESPAWN_FIRST_MS = 50;
const RESPAWN_MAX_MS = 5_000;
/** That many deaths in a row, with nobody heard in between, are no accident. */
const BROKEN_MS = 1_000;
const SEAT_AGAIN_MS = 1_000;
const LET_GO_MS = 500;
/** What is not removed by then is found by the next start of the agent. */
const REMOVED_MS = 5_000;

/**
 * One warm `/bin/sh` per slot, each in its own session, started once while the agent is small: Node's spawn copies the
 * whole process and starves timers when done per job. Each has its next start prepared while nobody waits for it: a seat,
 * which an execution takes when it is accepted. One without a seat is prepared and started in one go.
 *
 * When the agent dies, idle supervisors end at end of file and busy ones finish their job; the next agent starts its own.
 */
export class SlotPool {
  /** In the order in which they became free. */
  private readonly supervisors = new Set<SlotSupervisor>();
  private readonly waiting: { readonly executionId: string; readonly order: StartOrder }[] = [];
  /** Taken by executions that were not started yet. */
  private readonly reserved = new Set<string>();
  /** Given up, until its supervisor says that the process is gone. */
  private readonly unseated = new Map<string, SlotSupervisor>();
  /** Seats being made or removed, and what is tried again. */
  private readonly pending = new PendingWork();
  private scriptPath = '';
  private respawnMs = RESPAWN_FIRST_MS;
  /** That seats cannot be made is said once, not every second. */
  private hasComplained = false;
  private isClosed = false;
  private sizeWanted: number;
  /** Supervisors that died and are replaced in a moment. */
  private awaited = 0;

  constructor(private readonly options: SlotPoolOptions) {
    this.sizeWanted = options.size;
  }

  /** How many executions may be handed over at once. */
  get size(): number {
    return this.sizeWanted;
  }

  /** New supervisors come at once; of too many the idle go at once, and busy ones when their job has ended. */
  resize(size: number): void {
    if (this.isClosed) return;
    this.sizeWanted = size;
    this.fill();
    for (const supervisor of [...this.supervisors]) this.retire(supervisor);
  }

  /** Starts all supervisors at once. */
  async open(): Promise<void> {
    this.scriptPath = await installScript(this.options.stateDir, 'slot.sh', SLOT_SCRIPT);
    this.fill();
  }

  /** The id of a prepared start, which from now on is the caller's with all that was made for it; null when there is none. */
  reserve(): string | null {
    for (const { busyWith, seat, isUp } of this.supervisors) {
      if (busyWith !== null || !isUp || !seat?.isMade || seat.isReserved) continue;
      seat.isReserved = true;
      this.reserved.add(seat.id);
      return seat.id;
    }
    return null;
  }

  /** An execution that was never started gives its seat back. Others may say so too. */
  giveUp(executionId: string): void {
    if (!this.reserved.delete(executionId)) return;
    const seated = this.seatedFor(executionId);
    if (!seated) return this.drop(executionId);
    this.unseat(seated);
    if (this.retire(seated)) return;
    this.serveWaiting(seated);
    this.prepare(seated);
  }

  /** Hands an execution over; waits in line when no supervisor is free just now (one is being replaced). */
  start(executionId: string, order: StartOrder): void {
    this.reserved.delete(executionId);
    const seated = this.seatedFor(executionId);
    const free = seated ?? this.unreserved();
    if (seated) this.startSeated(seated, executionId);
    else if (free) this.startUnseated(free, executionId, order.inCgroup);
    else this.waiting.push({ executionId, order });
  }

  /** Takes back an execution no supervisor has heard of. False when one has. */
  takeBack(executionId: string): boolean {
    const index = this.waiting.findIndex((one) => one.executionId === executionId);
    if (index < 0) return false;
    this.waiting.splice(index, 1);
    return true;
  }

  /**
   * Lets go: idle supervisors end, busy ones finish their job without anybody listening. Resolves when the idle are gone,
   * with all that was prepared and not taken.
   */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.pending.cancel();
    const all = [...this.supervisors];
    this.supervisors.clear();
    await Promise.all(all.map((supervisor) => supervisor.letGo(LET_GO_MS)));
    for (const { seat } of all) if (seat?.isMade && !seat.isReserved) this.drop(seat.id);
    for (const id of this.unseated.keys()) this.drop(id);
    await this.pending.settle(REMOVED_MS);
  }

  private seatedFor(executionId: string): SlotSupervisor | undefined {
    return [...this.supervisors].find(({ seat }) => seat?.id === executionId);
  }

  private unreserved(): SlotSupervisor | undefined {
    return [...this.supervisors].find(({ busyWith, seat, isUp }) => busyWith === null && isUp && !seat?.isReserved);
  }

  private startSeated(supervisor: SlotSupervisor, executionId: string): void {
    supervisor.busyWith = executionId;
    supervisor.seat = null;
    supervisor.say(`s ${executionId}`);
    this.prepare(supervisor);
  }

  private startUnseated(supervisor: SlotSupervisor, executionId: string, inCgroup: boolean): void {
    supervisor.busyWith = executionId;
    if (supervisor.seat?.isMade) this.unseat(supervisor);
    supervisor.say(`p ${executionId}${inCgroup ? ' c' : ''}`, `s ${executionId}`);
    this.prepare(supervisor);
  }

  /** What was made for the seat is removed when its process says that it is gone. */
  private unseat(supervisor: SlotSupervisor): void {
    if (!supervisor.seat) return;
    supervisor.say(`d ${supervisor.seat.id}`);
    this.unseated.set(supervisor.seat.id, supervisor);
    supervisor.seat = null;
  }

  /** The next start; a supervisor that is busy turns to it when its job has ended. */
  private prepare(supervisor: SlotSupervisor): void {
    const { seats } = this.options;
    if (!seats || supervisor.seat || this.isClosed || !this.supervisors.has(supervisor)) return;
    const seat: Seat = { id: newExecutionId(), isMade: false, isReserved: false };
    supervisor.seat = seat;
    const made = seats.make(seat.id).then(
      () => {
        if (this.isClosed || !this.supervisors.has(supervisor)) return this.drop(seat.id);
        seat.isMade = true;
        this.hasComplained = false;
        supervisor.say(`p ${seat.id}${seats.inCgroup ? ' c' : ''}`);
      },
      (error: unknown) => {
        if (!this.hasComplained) this.options.warn({ error }, 'starts cannot be prepared ahead');
        this.hasComplained = true;
        this.drop(seat.id);
        supervisor.seat = null;
        this.pending.later(SEAT_AGAIN_MS, () => this.prepare(supervisor));
      },
    );
    this.pending.follow(made);
  }

  private drop(id: string): void {
    this.unseated.delete(id);
    const dropped = this.options.seats?.drop(id).catch((error: unknown) => {
      this.options.warn({ error }, 'what was prepared ahead could not be removed');
    });
    if (dropped) this.pending.follow(dropped);
  }

  private spawn(): void {
    const { shellPath, stateDir, attemptsDir, cgroupRoot, seats } = this.options;
    const supervisor = new SlotSupervisor({
      shellPath,
      scriptPath: this.scriptPath,
      stateDir,
      attemptsDir,
      readyDir: seats?.readyDir ?? '',
      cgroupRoot,
      heard: (one, event) => this.hear(one, event),
      died: (one, how) => this.lose(one, how),
    });
    this.supervisors.add(supervisor);
    this.serveWaiting(supervisor);
    this.prepare(supervisor);
  }

  /** Why jobs cannot be started: supervisors die again and again as soon as they are made. Null while all of them live. */
  get problem(): string | null {
    const missing = this.sizeWanted - this.supervisors.size;
    if (this.isClosed || missing <= 0 || this.respawnMs < BROKEN_MS) return null;
    return `${missing} of ${this.sizeWanted} slots have no supervisor: it ends as soon as it is started.`;
  }

  private hear(supervisor: SlotSupervisor, { kind, executionId }: SlotEvent): void {
    this.respawnMs = RESPAWN_FIRST_MS;
    const isCurrent = supervisor.busyWith === executionId;
    if (kind === 'unprepared' && !isCurrent) this.onUnprepared(supervisor, executionId);
    if (!isCurrent) return;
    supervisor.busyWith = null;
    // Last in line for the next one: its process needs a moment.
    if (this.supervisors.delete(supervisor)) this.supervisors.add(supervisor);
    if (kind === 'ended') this.options.listener.ended(executionId);
    else this.options.listener.refused(executionId);
    if (!this.retire(supervisor)) this.serveWaiting(supervisor);
  }

  /** The prepared process is gone: because it was told so, or somebody killed it. Whoever took the seat starts without it. */
  private onUnprepared(supervisor: SlotSupervisor, id: string): void {
    if (this.unseated.has(id)) return this.drop(id);
    // Somebody else's directory, which this supervisor was asked to start a second time.
    if (supervisor.seat?.id !== id) return;
    if (!supervisor.seat.isReserved) this.drop(id);
    supervisor.seat = null;
    this.serveWaiting(supervisor);
    this.pending.later(SEAT_AGAIN_MS, () => this.prepare(supervisor));
  }

  private serveWaiting(supervisor: SlotSupervisor): void {
    while (supervisor.busyWith === null && !supervisor.seat?.isReserved) {
      const next = this.waiting.shift();
      if (!next) return;
      const { executionId, order } = next;
      if (this.options.clock.monotonicMs() > order.notAfterMs) this.options.listener.tooLate(executionId);
      else this.startUnseated(supervisor, executionId, order.inCgroup);
    }
  }

  private lose(supervisor: SlotSupervisor, how: Record<string, unknown>): void {
    if (!this.supervisors.delete(supervisor) || this.isClosed) return;
    const { busyWith, seat } = supervisor;
    if (seat?.isMade && !seat.isReserved) this.drop(seat.id);
    for (const [id, one] of this.unseated) if (one === supervisor) this.drop(id);
    this.options.warn({ ...how, executionId: busyWith }, 'supervisor of a slot died');
    this.awaited += 1;
    this.pending.later(this.respawnMs, () => {
      this.awaited -= 1;
      this.fill();
    });
    this.respawnMs = Math.min(this.respawnMs * 2, RESPAWN_MAX_MS);
    if (busyWith !== null) this.options.listener.supervisorLost(busyWith);
  }

  private fill(): void {
    while (this.supervisors.size + this.awaited < this.sizeWanted) this.spawn();
  }

  /** True when the supervisor was one too many and is let go: neither busy, nor waited for, nor promised to anybody. */
  private retire(supervisor: SlotSupervisor): boolean {
    const { busyWith, seat } = supervisor;
    const isSpare = busyWith === null && seat?.isReserved !== true && this.waiting.length === 0;
    if (!isSpare || this.supervisors.size <= this.sizeWanted) return false;
    this.supervisors.delete(supervisor);
    const gone = supervisor.letGo(LET_GO_MS).then(() => {
      if (seat?.isMade) this.drop(seat.id);
      for (const [id, one] of this.unseated) if (one === supervisor) this.drop(id);
    });
    this.pending.follow(gone);
    return true;
  }
}
