/** Carries out what an agent decided: messages to the control plane, the state directory, and processes. */
import type { AgentEffect } from '@muster/domain';
import type { Ack, BeatAck, EndAck, HelloAck, StartAck } from '@muster/protocol';
import { Violation } from '../invariants/violation.js';
import type { AgentHost } from './agent-host.js';
import type { Directory, Machine } from './machine.js';
import { report } from './report.js';
import type { World } from './world.js';

type Effect<Type extends AgentEffect['type']> = Extract<AgentEffect, { type: Type }>;

export class EffectHands {
  private readonly machine: Machine;

  constructor(
    private readonly world: World,
    private readonly host: AgentHost,
  ) {
    this.machine = host.machine;
  }

  carryOut(effect: AgentEffect): void {
    switch (effect.type) {
      case 'sendHello':
      case 'sendBeat':
      case 'sendStart':
      case 'sendRefuse':
      case 'sendEnd':
        this.send(effect);
        return;
      case 'writeIntent':
        this.writeIntent(effect);
        return;
      case 'reconnect':
        this.host.drop();
        return;
      case 'exit':
        this.world.agentExits(this.host, effect.reason);
        this.host.die(effect.reason);
        return;
      case 'setSlots':
        this.machine.openSlots(effect.slots);
        return;
      case 'keepIdentity':
        return;
      default: {
        const directory = this.machine.disk.get(effect.executionId);
        if (directory !== undefined) this.touch(directory, effect);
        else if (effect.type === 'spawn') throw new Violation('intent before spawn', effect.executionId);
        else if (effect.type === 'forget') this.host.shipper.forget(effect.executionId);
        else if (effect.type === 'settle') this.host.post({ type: 'logDone', executionId: effect.executionId });
      }
    }
  }

  private send(effect: Effect<'sendHello' | 'sendBeat' | 'sendStart' | 'sendRefuse' | 'sendEnd'>): void {
    const { host } = this;
    switch (effect.type) {
      case 'sendHello': {
        const { connection, session, executions, gpusHeld } = effect;
        const body = { instanceId: host.instanceId, session, slots: this.machine.slots, executions, gpusHeld };
        host.ask({ kind: 'hello', body }, (sentMs, answer: Ack<HelloAck> | 'timeout') => {
          if (answer !== 'timeout' && 'ok' in answer) this.world.auditor.unwanted(answer.ok.verdicts);
          host.post({ type: 'helloAnswered', connection, sentMs, answer });
        });
        return;
      }
      case 'sendBeat':
        host.ask({ kind: 'beat', body: effect.beat }, (sentMs, answer: Ack<BeatAck> | 'timeout') => {
          if (answer !== 'timeout' && 'ok' in answer) this.world.auditor.unwanted(answer.ok.verdicts);
          host.post({ type: 'beatAnswered', sentMs, answer });
        });
        return;
      case 'sendStart':
        host.ask({ kind: 'start', body: effect.ref }, (sentMs, answer: Ack<StartAck> | 'timeout') => host.post({ type: 'startAnswered', ref: effect.ref, sentMs, answer }));
        return;
      case 'sendRefuse':
        this.world.auditor.refused(this.machine, effect.refuse);
        host.ask({ kind: 'refuse', body: effect.refuse }, (sentMs, answer: Ack<Record<string, never>> | 'timeout') => host.post({ type: 'refuseAnswered', ref: effect.refuse, sentMs, answer }));
        return;
      case 'sendEnd':
        host.ask({ kind: 'end', body: effect.end }, (sentMs, answer: Ack<EndAck> | 'timeout') => {
          this.world.auditor.endAnswered(effect.end, answer);
          host.post({ type: 'endAnswered', ref: effect.end, sentMs, answer });
        });
    }
  }

  private writeIntent({ intent }: Effect<'writeIntent'>): void {
    const { executionId } = intent;
    const { random, reducers } = this.world;
    if (this.machine.objection === 'diskFloor' && random.chance(0.5)) {
      this.world.count('intents not written');
      this.host.post({ type: 'intentFailed', executionId, reason: 'diskFloor', detail: 'no space left on device' });
      return;
    }
    this.machine.disk.set(executionId, {
      intent, ref: intent.ref, deadlineMs: null, stop: null, process: null, end: null, isSettled: false, isStarting: false, isSpent: false,
      isVolatile: !reducers.shell.writesIntentFirst, isCopy: false,
    });
    this.world.after(random.between(1, 10), () => this.host.post({ type: 'intentWritten', executionId }));
    this.world.intentStands(this.machine);
  }

  private touch(directory: Directory, effect: Effect<'spawn' | 'setDeadline' | 'stop' | 'freeze' | 'thaw' | 'rebind' | 'settle' | 'forget'>): void {
    const { executionId } = effect;
    switch (effect.type) {
      case 'spawn':
        this.spawn(directory, effect);
        return;
      case 'setDeadline':
        directory.deadlineMs = effect.deadlineMs;
        this.world.auditor.deadlineSet(this.machine, directory.ref.attemptId, effect.deadlineMs);
        this.machine.armWarden(directory);
        return;
      case 'stop':
        directory.stop = { cause: directory.stop?.cause ?? effect.cause, isForced: effect.isForced };
        this.machine.stop(directory, effect.graceSeconds, this.host);
        return;
      case 'freeze':
        if (this.machine.freeze(directory)) this.soon(() => this.host.post({ type: 'frozen', executionId }));
        return;
      case 'thaw':
        if (this.machine.thaw(directory)) this.soon(() => this.host.post({ type: 'thawed', executionId }));
        return;
      case 'rebind':
        directory.ref = effect.ref;
        return;
      case 'settle':
        directory.isSettled = true;
        if (!this.world.reducers.shell.keepsUntilDone) this.machine.remove(directory);
        else if (directory.process === null || this.host.shipper.isDone(executionId)) this.host.post({ type: 'logDone', executionId });
        return;
      case 'forget':
        this.machine.remove(directory);
        this.host.shipper.forget(executionId);
    }
  }

  /** A little later the process is there, unless the order has come too late by then. */
  private spawn(directory: Directory, effect: Effect<'spawn'>): void {
    if (directory.process !== null) throw new Violation('started once', effect.executionId);
    const { random } = this.world;
    directory.isStarting = true;
    directory.deadlineMs = effect.deadlineMs;
    if (effect.deadlineMs !== null) this.world.auditor.deadlineSet(this.machine, directory.ref.attemptId, effect.deadlineMs);
    this.world.after(random.chance(0.05) ? random.between(100, 12_000) : random.between(1, 40), () => {
      if (!directory.isStarting || !this.host.isAlive) return;
      if (directory.isSpent || this.machine.clockMs > effect.notAfterMs) this.refuseToStart(directory);
      else this.machine.spawn(directory);
      if (directory.isVolatile) this.world.after(random.between(0, 500), () => this.writeLate(directory));
      if (directory.process !== null) this.soon(() => this.host.post({ type: 'started', executionId: effect.executionId }));
    });
  }

  /** What an agent does that writes down only afterwards what it began. */
  private writeLate(directory: Directory): void {
    if (this.host.isAlive) directory.isVolatile = false;
  }

  private refuseToStart(directory: Directory): void {
    this.world.count('spawn too late');
    directory.isStarting = false;
    directory.isSpent = true;
    this.host.post({ type: 'ended', executionId: directory.intent.executionId, end: report('refused', null, null), isQuarantined: false });
  }

  private soon(run: () => void): void {
    this.world.after(this.world.random.between(1, 30), run);
  }
}
