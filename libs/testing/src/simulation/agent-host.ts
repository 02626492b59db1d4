/**
 * One start of an agent: carries out what `agentStep` says, one effect at a time, and may die or stand still between any
 * two of them. Its memory dies with it; the machine's disk and processes do not.
 */
import { newInstanceId, nextWakeMs } from '@muster/domain';
import type { AgentEffect, AgentEvent, AgentState, BeatFacts, RecoveredExecution } from '@muster/domain';
import type { Ack, AttemptEnd, AttemptRef, BeatAck, EndAck, ExecutionReport, HelloAck, LogAck, Refuse, StartAck, WorkerId } from '@muster/protocol';
import { Violation } from './invariants.js';
import { LogShipper } from './log-shipper.js';
import type { Directory, Machine } from './machine.js';
import type { Connection } from './network.js';
import type { World } from './world.js';

type WithoutTime<Event> = Event extends unknown ? Omit<Event, 'nowMs'> : never;
type Posted = WithoutTime<AgentEvent>;
type Item = { readonly event: Posted } | { readonly effect: AgentEffect };

export type Request =
  | { readonly kind: 'hello'; readonly body: { instanceId: string; session: number; slots: number; executions: readonly ExecutionReport[] } }
  | { readonly kind: 'beat'; readonly body: BeatFacts }
  | { readonly kind: 'start'; readonly body: AttemptRef }
  | { readonly kind: 'refuse'; readonly body: Refuse }
  | { readonly kind: 'end'; readonly body: AttemptEnd }
  | { readonly kind: 'log'; readonly body: AttemptRef & { offset: number; rawLength: number } };

interface Answers {
  hello: HelloAck;
  beat: BeatAck;
  start: StartAck;
  refuse: Record<string, never>;
  end: EndAck;
  log: LogAck;
}

export class AgentHost {
  isAlive = true;
  private state: AgentState;
  private connection: Connection | null = null;
  private frozenUntilMs = 0;
  private readonly instanceId: string;
  private readonly items: Item[] = [];
  private isPumping = false;
  private wakeAtMs: number | null = null;
  private readonly shipper: LogShipper;

  constructor(
    private readonly world: World,
    readonly machine: Machine,
    startCount: number,
    recovered: readonly RecoveredExecution[],
  ) {
    this.instanceId = newInstanceId(startCount, `m${machine.index}`);
    const { beatIntervalMs } = world.settings;
    const step = world.reducers.startAgent(
      { workerId: machine.workerId, instanceId: this.instanceId, slots: machine.slots, quarantined: 0, beatIntervalMs, resendAfterMs: 3_000 },
      recovered,
      machine.clockMs,
    );
    this.state = step.state;
    this.items.push(...step.effects.map((effect) => ({ effect })));
    this.world.trace(() => `machine ${machine.index} agent ${this.instanceId} starts with ${recovered.map((one) => `${one.executionId}:${one.state}`).join(' ')}`);
    this.connectSoon();
    this.shipper = new LogShipper(world, this);
    this.pump();
  }

  /** True while messages may be sent: hello was answered, and the process does not stand still. */
  get isTalking(): boolean {
    return this.state.link === 'synced' && this.world.nowMs >= this.frozenUntilMs;
  }

  get workerId(): WorkerId {
    return this.machine.workerId;
  }

  post(event: Posted): void {
    if (!this.isAlive) return;
    this.items.push({ event });
    this.pump();
  }

  /** The shell noticed the end of a process. */
  ended(directory: Directory): void {
    const { end } = directory;
    if (!this.isAlive || end === null) return;
    this.world.after(this.world.random.between(1, 30), () => this.post({ type: 'ended', executionId: directory.intent.executionId, end, isQuarantined: false }));
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
    if (this.connection !== connection || !this.isAlive) return;
    this.drop();
  }

  /** The socket's own liveness check failed. */
  hangUp(): void {
    if (this.isAlive) this.drop();
  }

  private drop(): void {
    const { connection } = this;
    if (connection === null) return;
    connection.isOpen = false;
    this.connection = null;
    this.world.after(this.world.random.between(1, 1_000), () => connection.replica.closed(connection));
    this.post({ type: 'disconnected' });
    this.connectSoon();
  }

  private connectSoon(): void {
    this.world.after(this.world.random.between(100, 1_500), () => {
      if (!this.isAlive || this.connection !== null) return;
      const connection = this.world.connect(this);
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
        else this.carryOut(item.effect);
        if (!this.isAlive) return;
      }
    } finally {
      this.isPumping = false;
    }
    this.planTick();
  }

  private isInterrupted(item: Item): boolean {
    const { random, faults } = this.world;
    if (random.chance(faults.agentCrashRate)) {
      this.world.count('agent crashes');
      this.die('crash');
      this.world.after(random.between(200, 5_000), () => this.machine.startAgent());
      return true;
    }
    if (random.chance(faults.agentFreezeRate)) {
      this.world.count('agent freezes');
      this.frozenUntilMs = this.world.nowMs + random.between(100, 20_000);
      this.world.after(this.frozenUntilMs - this.world.nowMs, () => this.pump());
    }
    if (this.world.nowMs >= this.frozenUntilMs) return false;
    this.items.unshift(item);
    return true;
  }

  private step(event: Posted): void {
    const step = this.world.reducers.agentStep(this.state, { ...event, nowMs: this.machine.clockMs });
    this.world.trace(() => `machine ${this.machine.index} ${JSON.stringify(event)} -> ${JSON.stringify(step.effects)}`);
    this.state = step.state;
    // What follows from this event is done before the next event is looked at.
    this.items.unshift(...step.effects.map((effect) => ({ effect })));
  }

  private planTick(): void {
    const wakeMs = nextWakeMs(this.state);
    if (wakeMs === null || wakeMs === this.wakeAtMs) return;
    this.wakeAtMs = wakeMs;
    this.machine.afterClock(wakeMs + 1, () => {
      if (this.wakeAtMs !== wakeMs) return;
      this.wakeAtMs = null;
      this.post({ type: 'tick' });
    });
  }

  private carryOut(effect: AgentEffect): void {
    const directory = 'executionId' in effect ? this.machine.disk.get(effect.executionId) : undefined;
    switch (effect.type) {
      case 'sendHello': {
        const { connection, session, executions } = effect;
        const body = { instanceId: this.instanceId, session, slots: this.machine.slots, executions };
        this.ask({ kind: 'hello', body }, (sentMs, answer: Ack<HelloAck> | 'timeout') => this.post({ type: 'helloAnswered', connection, sentMs, answer }));
        return;
      }
      case 'sendBeat':
        this.ask({ kind: 'beat', body: effect.beat }, (sentMs, answer: Ack<BeatAck> | 'timeout') => this.post({ type: 'beatAnswered', sentMs, answer }));
        return;
      case 'sendStart':
        this.ask({ kind: 'start', body: effect.ref }, (sentMs, answer: Ack<StartAck> | 'timeout') => this.post({ type: 'startAnswered', ref: effect.ref, sentMs, answer }));
        return;
      case 'sendRefuse':
        this.world.count(`refused ${effect.refuse.reason}`);
        this.ask({ kind: 'refuse', body: effect.refuse }, (sentMs, answer: Ack<Record<string, never>> | 'timeout') => this.post({ type: 'refuseAnswered', ref: effect.refuse, sentMs, answer }));
        return;
      case 'sendEnd':
        this.ask({ kind: 'end', body: effect.end }, (sentMs, answer: Ack<EndAck> | 'timeout') => {
          this.checkEndAck(effect.end, answer);
          this.post({ type: 'endAnswered', ref: effect.end, sentMs, answer });
        });
        return;
      case 'writeIntent': {
        const { intent } = effect;
        this.machine.disk.set(intent.executionId, { intent, ref: intent.ref, deadlineMs: null, stop: null, process: null, end: null, isSettled: false });
        this.world.after(this.world.random.between(1, 10), () => this.post({ type: 'intentWritten', executionId: intent.executionId }));
        return;
      }
      case 'spawn':
        this.spawn(directory, effect);
        return;
      case 'setDeadline':
        if (directory === undefined) return;
        directory.deadlineMs = effect.deadlineMs;
        this.machine.armWarden(directory);
        return;
      case 'stop':
        if (directory === undefined) return;
        directory.stop = { cause: effect.cause, isForced: effect.isForced };
        this.machine.stop(directory, effect.graceSeconds, this);
        return;
      case 'rebind':
        if (directory !== undefined) directory.ref = effect.ref;
        return;
      case 'settle':
        if (directory === undefined) return;
        directory.isSettled = true;
        if (!this.world.reducers.shell.keepsUntilDone) this.machine.remove(directory);
        else if (directory.process === null) this.post({ type: 'logDone', executionId: effect.executionId });
        else if (this.shipper.isDone(effect.executionId)) this.post({ type: 'logDone', executionId: effect.executionId });
        return;
      case 'forget':
        if (directory !== undefined) this.machine.remove(directory);
        this.shipper.forget(effect.executionId);
        return;
      case 'reconnect':
        this.drop();
        return;
      case 'exit':
        this.world.agentExits(this, effect.reason);
        this.die(effect.reason);
        return;
      case 'freeze':
      case 'thaw':
      case 'keepIdentity':
        return;
    }
  }

  private spawn(directory: Directory | undefined, effect: Extract<AgentEffect, { type: 'spawn' }>): void {
    if (directory === undefined) throw new Violation('intent before spawn', effect.executionId);
    if (directory.process !== null) throw new Violation('started once', effect.executionId);
    const { executionId } = effect;
    if (this.machine.clockMs > effect.notAfterMs) {
      this.world.count('spawn too late');
      const end = { outcome: 'refused', exit: null, detail: null, usage: { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null }, containment: 'group', leftovers: 0, logs: {}, ranMs: null } as const;
      this.post({ type: 'ended', executionId, end, isQuarantined: false });
      return;
    }
    directory.deadlineMs = effect.deadlineMs;
    this.machine.spawn(directory);
    this.world.after(this.world.random.between(1, 20), () => this.post({ type: 'started', executionId }));
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
    this.world.after(this.world.settings.ackTimeoutMs, () => {
      if (!isAnswered) answered(sentMs, 'timeout');
    });
  }

  private checkEndAck(end: AttemptEnd, answer: Ack<EndAck> | 'timeout'): void {
    if (answer === 'timeout' || 'error' in answer || answer.ok.kind !== 'accepted') return;
    if (!this.world.isEndStored(end)) throw new Violation('I10 acknowledged means committed', end.attemptId);
  }
}
