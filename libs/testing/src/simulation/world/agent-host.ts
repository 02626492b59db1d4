/**
 * One start of an agent: gives events to `agentStep` and carries out what it says, one effect at a time, and may die or stand
 * still between any two of them. Its memory dies with it; the machine's disk and processes do not.
 */
import type { AgentEffect, AgentEvent, AgentState, RecoveredExecution } from '@muster/domain';
import type { Ack, WorkerId } from '@muster/protocol';
import { EffectHands } from './effect-hands.js';
import type { Host } from './host.js';
import { LogShipper } from './log-shipper.js';
import type { Directory, Machine } from './machine.js';
import type { Connection } from './network.js';
import type { Answers, Request } from './requests.js';
import type { World } from './world.js';

type WithoutTime<Event> = Event extends unknown ? Omit<Event, 'nowMs'> : never;
export type Posted = WithoutTime<AgentEvent>;
type Item = { readonly event: Posted } | { readonly effect: AgentEffect };

export class AgentHost implements Host {
  isAlive = true;
  readonly shipper: LogShipper;
  readonly instanceId: string;
  private state: AgentState;
  private connection: Connection | null = null;
  private frozenUntilMs = 0;
  private readonly items: Item[] = [];
  private readonly hands: EffectHands;
  private isPumping = false;
  private wakeAtMs: number | null = null;

  constructor(
    private readonly world: World,
    readonly machine: Machine,
    startCount: number,
    recovered: readonly RecoveredExecution[],
  ) {
    const { beatIntervalMs, requestTimeoutMs } = world.settings;
    this.instanceId = world.reducers.newInstanceId(startCount, `m${machine.index}`);
    const step = world.reducers.startAgent(
      {
        workerId: machine.workerId, instanceId: this.instanceId, slots: machine.slots, quarantined: machine.undeadCount, beatIntervalMs,
        resendAfterMs: requestTimeoutMs,
      },
      recovered,
      machine.clockMs,
    );
    this.state = step.state;
    this.items.push(...step.effects.map((effect) => ({ effect })));
    world.trace(() => `machine ${machine.index} agent ${this.instanceId} starts with ${recovered.map((one) => `${one.executionId}:${one.state}`).join(' ')}`);
    this.connectSoon();
    this.shipper = new LogShipper(world, this);
    if (recovered.length > 0) this.shipper.wake();
    this.hands = new EffectHands(world, this);
    if (machine.objection !== null) this.items.push({ event: { type: 'objectionChanged', objection: machine.objection } });
    this.pump();
  }

  /** True while messages may be sent: hello was answered, and the process does not stand still. */
  get isTalking(): boolean {
    return this.state.link === 'synced' && !this.isFrozen;
  }

  get isFrozen(): boolean {
    return this.world.nowMs < this.frozenUntilMs;
  }

  /** Nothing is held, by its own account. */
  get isIdle(): boolean {
    return this.isAlive && this.state.executions.size === 0;
  }

  get workerId(): WorkerId {
    return this.machine.workerId;
  }

  describe(): string {
    const { link, mode, quarantined, executions } = this.state;
    return `agent ${this.isAlive ? 'alive' : 'dead'} ${link} ${mode} ${quarantined} quarantined ${[...executions.values()].map((one) => `${one.executionId} ${one.phase}`).join(' ')}`;
  }

  post(event: Posted): void {
    if (!this.isAlive) return;
    this.items.push({ event });
    this.pump();
  }

  /** The shell noticed the end of a process, or that there will be none. */
  ended(directory: Directory): void {
    const { end } = directory;
    if (!this.isAlive || end === null) return;
    const { executionId } = directory.intent;
    this.world.after(this.world.random.between(1, 30), () => this.post({ type: 'ended', executionId, end, isQuarantined: end.outcome === 'unkillable' }));
  }

  die(why: string): void {
    if (!this.isAlive) return;
    this.world.trace(() => `machine ${this.machine.index} agent ${this.instanceId} dies: ${why}`);
    this.isAlive = false;
    const { connection } = this;
    this.connection = null;
    if (connection !== null) this.world.after(this.world.random.between(1, 2_000), () => connection.replica.closed(connection));
  }

  /** The socket ended without our doing. */
  lose(connection: Connection): void {
    if (this.connection === connection && this.isAlive) this.drop();
  }

  /** The socket's own liveness check failed, or we want another one. */
  drop(): void {
    const { connection } = this;
    if (connection === null || !this.isAlive) return;
    connection.isOpen = false;
    this.connection = null;
    this.world.after(this.world.random.between(1, 1_000), () => connection.replica.closed(connection));
    this.post({ type: 'disconnected' });
    this.connectSoon();
  }

  /** The process stands still: nothing is taken up, nothing is sent, and its clock runs on. */
  freeze(forMs: number): void {
    this.world.count('agent freezes');
    this.frozenUntilMs = Math.max(this.frozenUntilMs, this.world.nowMs + forMs);
    this.world.after(forMs, () => this.pump());
  }

  /** Faults are over. */
  wake(): void {
    this.frozenUntilMs = 0;
    this.pump();
  }

  /** Sends with the moment of sending; the answer may come late, twice, or after the time-out was already told. */
  ask<Kind extends Request['kind']>(
    request: Extract<Request, { kind: Kind }>,
    answered: (sentMs: number, answer: Ack<Answers[Kind]> | 'timeout') => void,
  ): void {
    const { connection } = this;
    const sentMs = this.machine.clockMs;
    if (connection === null) {
      this.world.after(1, () => answered(sentMs, 'timeout'));
      return;
    }
    let isAnswered = false;
    this.world.network.up(connection, () =>
      connection.replica.receive(connection, request, (ack) =>
        this.world.network.down(connection, () => {
          isAnswered = true;
          answered(sentMs, ack as Ack<Answers[Kind]>);
        }),
      ),
    );
    this.world.after(this.world.settings.requestTimeoutMs, () => {
      if (!isAnswered) answered(sentMs, 'timeout');
    });
  }

  private connectSoon(): void {
    this.world.after(this.world.random.between(100, 1_500), () => {
      if (!this.isAlive || this.connection !== null) return;
      const connection = this.isFrozen ? null : this.world.connect(this);
      if (connection === null) {
        this.connectSoon();
        return;
      }
      this.connection = connection;
      this.post({ type: 'connected' });
    });
  }

  /** One thing at a time, in order; each boundary is a place to die or to stand still. */
  private pump(): void {
    if (this.isPumping || !this.isAlive) return;
    this.isPumping = true;
    try {
      for (let item = this.items.shift(); item !== undefined; item = this.items.shift()) {
        if (this.isInterrupted(item)) return;
        if ('event' in item) this.step(item.event);
        else this.hands.carryOut(item.effect);
        if (!this.isAlive) return;
      }
    } finally {
      this.isPumping = false;
    }
    this.planTick();
  }

  private isInterrupted(item: Item): boolean {
    const { fate, faults } = this.world;
    if (fate.chance(faults.agentCrashRate)) {
      this.world.count('agent crashes');
      this.die('crash');
      const isLong = fate.chance(0.1);
      this.world.after(isLong ? this.world.absenceMs() : fate.between(200, 5_000), () => this.machine.startAgent());
      return true;
    }
    if (fate.chance(faults.agentFreezeRate)) this.freeze(fate.chance(0.3) ? this.world.absenceMs() : fate.between(100, 20_000));
    if (!this.isFrozen) return false;
    this.items.unshift(item);
    return true;
  }

  private step(event: Posted): void {
    const step = this.world.reducers.agentStep(this.state, Object.assign(event, { nowMs: this.machine.clockMs }));
    this.world.trace(() => `machine ${this.machine.index} ${JSON.stringify(event)} -> ${JSON.stringify(step.effects)}`);
    this.state = step.state;
    if (step.state.executions.size > 0) this.shipper.wake();
    // What follows from this event is done before the next event is looked at.
    if (step.effects.length > 0) this.items.unshift(...step.effects.map((effect) => ({ effect })));
  }

  private planTick(): void {
    const wakeMs = this.world.reducers.nextWakeMs(this.state);
    if (wakeMs === null || wakeMs === this.wakeAtMs) return;
    this.wakeAtMs = wakeMs;
    this.machine.afterClock(wakeMs + 1, () => {
      if (this.wakeAtMs !== wakeMs) return;
      this.wakeAtMs = null;
      this.post({ type: 'tick' });
    });
  }
}
