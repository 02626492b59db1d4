import { agentStep, nextWakeMs, startAgent } from '@muster/domain';
import type { AgentEffect, AgentEvent, AgentState, AgentStep, BeatFacts } from '@muster/domain';
import { TIMES } from '@muster/protocol';
import type { Ack, AttemptEnd, AttemptId, AttemptRef, Hello, Offer, Refuse } from '@muster/protocol';
import type { Clock } from '@muster/runtime';
import type { ExecutionManager } from '../execution/execution-types.js';
import type { Identity } from '../identity/identity.js';
import type { InventoryReader } from '../inventory/inventory-reader.js';
import type { ControlPlaneLink, LinkListener, ServerMessage } from './control-plane-link.js';
import type { DiskGuard } from './disk-guard.js';
import type { ExecutionBridge, Happening } from './execution-bridge.js';
import { toBareEnd } from './execution-map.js';
import type { Greeter } from './greeter.js';
import { objectionTo } from './objections.js';
import type { RuntimeLogger } from './runtime-logger.js';
import type { AnswerOf, BodyOf, RequestName } from './server-messages.js';
import type { SyncedUplink } from './synced-uplink.js';

export interface AgentRuntimeOptions {
  readonly link: Pick<ControlPlaneLink, 'start' | 'stop' | 'request' | 'reconnect' | 'confirm'>;
  readonly uplink: Pick<SyncedUplink, 'greeted' | 'setUp'>;
  readonly bridge: Pick<ExecutionBridge, 'recover' | 'listen' | 'carryOut' | 'catchUp'>;
  readonly greeter: {
    readonly identity: Pick<Identity, 'workerId' | 'instanceId' | 'keepWorkerId'>;
    readonly inventory: Pick<InventoryReader, 'sample'>;
    readonly facts: Pick<Hello, 'slots'>;
    readonly hello: Greeter['hello'];
  };
  readonly disk: Pick<DiskGuard, 'start' | 'stop' | 'isFull'>;
  readonly executions: Pick<ExecutionManager, 'capabilities' | 'slots' | 'setSlots'>;
  readonly clock: Clock;
  readonly logger: RuntimeLogger;
}

interface Asked<E extends RequestName> {
  readonly sentMs: number;
  readonly answer: Ack<AnswerOf<E>> | 'timeout';
}

export type ExitEffect = Extract<AgentEffect, { readonly type: 'exit' }>;

/** An unanswered request is given up after this long, and sent again when the reducer wants it. */
const REQUEST_TIMEOUT_MS = 8_000;

/**
 * The shell around `agentStep`: it turns what happens into events, one at a time, and carries out the effects in order. It
 * decides nothing. Requests are sent and not waited for, and no disk holds up a beat: what must be durable before something
 * else of the same execution is ordered by the bridge.
 */
export class AgentRuntime {
  private current: AgentState | null = null;
  private effects: Promise<void> = Promise.resolve();
  private keeping: Promise<void> = Promise.resolve();
  private readonly rebinding = new Map<AttemptId, Promise<void>>();
  private wake: NodeJS.Timeout | null = null;
  private lastBeatAt: string | null = null;
  private sampleRefused: string | undefined;
  private resolveExit: (exit: ExitEffect) => void = () => undefined;

  /** Resolves when the agent shall end. */
  readonly exit = new Promise<ExitEffect>((resolve) => {
    this.resolveExit = resolve;
  });

  constructor(private readonly options: AgentRuntimeOptions) {}

  /** Null before `start`. */
  get state(): AgentState | null {
    return this.current;
  }

  /** When the control plane last took a beat. */
  get beatAt(): string | null {
    return this.lastBeatAt;
  }

  /** Settles what an earlier life left behind, then connects. */
  async start(): Promise<void> {
    const { bridge, greeter, executions, disk, link, clock, logger } = this.options;
    const recovered = await bridge.recover();
    if (recovered.length > 0) logger.info({ count: recovered.length }, 'took up what an earlier start left');
    const config = {
      workerId: greeter.identity.workerId,
      instanceId: greeter.identity.instanceId,
      slots: greeter.facts.slots,
      quarantined: executions.slots().quarantined,
      beatIntervalMs: TIMES.beatIntervalMs,
      resendAfterMs: REQUEST_TIMEOUT_MS,
    };
    bridge.listen((happening) => this.feed(happening));
    this.take(startAgent(config, recovered, clock.monotonicMs()));
    await disk.start((objection) => this.feed({ type: 'objectionChanged', objection }));
    link.start(this.listener());
  }

  /** One thing happened. Ignored before `start` and after `stop`. */
  feed(happening: Happening): void {
    if (!this.current) return;
    const event = { ...happening, nowMs: this.options.clock.monotonicMs() } as AgentEvent;
    this.take(agentStep(this.current, event));
  }

  /** Ends the connection and all timers; nothing is sent or decided any more. Resolves when begun effects are done. */
  async stop(): Promise<void> {
    this.options.link.stop();
    this.options.uplink.setUp(false);
    if (this.wake) clearTimeout(this.wake);
    this.options.disk.stop();
    this.wake = null;
    this.current = null;
    await this.effects;
    await this.keeping;
  }

  private listener(): LinkListener {
    return {
      connected: () => this.feed({ type: 'connected' }),
      disconnected: () => this.feed({ type: 'disconnected' }),
      refused: (reason, detail) => this.feed({ type: 'closing', reason, detail }),
      said: (message) => this.hear(message),
    };
  }

  private hear({ event, body }: ServerMessage): void {
    switch (event) {
      case 'attempt:offer':
        return this.onOffer(body);
      case 'attempt:command': {
        const { command, ...ref } = body;
        return this.feed({ type: 'commanded', ref, command });
      }
      case 'attempt:withdraw':
        return this.feed({ type: 'withdrawn', ref: body });
      case 'worker:closing':
        return this.feed({ type: 'closing', reason: body.reason, detail: body.detail });
    }
  }

  private onOffer(offer: Offer): void {
    const { executions, disk } = this.options;
    this.feed({ type: 'offered', offer, objection: objectionTo(offer.spec, executions.capabilities, disk.isFull) });
  }

  private take(step: AgentStep): void {
    this.current = step.state;
    this.options.uplink.setUp(step.state.link === 'synced');
    for (const effect of step.effects) this.effects = this.effects.then(() => this.carryOut(effect));
    this.setWake();
  }

  private setWake(): void {
    if (this.wake) clearTimeout(this.wake);
    this.wake = null;
    const atMs = this.current && nextWakeMs(this.current);
    if (atMs === null) return;
    const delayMs = Math.min(Math.max(0, atMs - this.options.clock.monotonicMs()), 60_000);
    this.wake = setTimeout(() => this.feed({ type: 'tick' }), delayMs);
  }

  /** Resolves when the next effect may begin. Never rejects. */
  private async carryOut(effect: AgentEffect): Promise<void> {
    const { bridge, greeter, link, logger } = this.options;
    switch (effect.type) {
      case 'sendHello':
        return void this.sendHello(effect);
      case 'sendBeat':
        bridge.catchUp();
        return void this.sendBeat(effect.beat);
      case 'sendStart':
        return void this.sendStart(effect.ref);
      case 'sendRefuse':
        return void this.sendRefuse(effect.refuse);
      case 'sendEnd':
        return void this.afterRebind(effect.end, () => this.sendEnd(effect.end));
      case 'keepIdentity':
        this.keeping = greeter.identity
          .keepWorkerId(effect.workerId)
          .catch((error: unknown) => logger.error({ err: error }, 'identity not kept'));
        return;
      case 'setSlots':
        logger.info({ slots: effect.slots }, 'the control plane gives this worker another number of slots');
        return this.options.executions.setSlots(effect.slots);
      case 'reconnect':
        return link.reconnect(effect.reason);
      case 'exit':
        return this.resolveExit(effect);
      case 'rebind':
        return this.holdUntil(effect.ref, bridge.carryOut(effect));
      default:
        return void bridge.carryOut(effect);
    }
  }

  /** Until a term is on disk, or cannot be, nothing is told in it but beats. Nobody else waits. */
  private holdUntil({ attemptId }: AttemptRef, rebound: Promise<void>): void {
    this.rebinding.set(attemptId, rebound);
    void rebound.then(() => {
      if (this.rebinding.get(attemptId) === rebound) this.rebinding.delete(attemptId);
    });
  }

  private async afterRebind({ attemptId }: AttemptRef, act: () => Promise<void>): Promise<void> {
    await this.rebinding.get(attemptId);
    await act();
  }

  private async sendHello(effect: Extract<AgentEffect, { type: 'sendHello' }>): Promise<void> {
    const hello = await this.options.greeter.hello(effect);
    const { connection } = effect;
    // The connection this hello was for may be gone; the next one has its own.
    if (this.current?.connection !== connection) return;
    const answer = await this.ask('worker:hello', hello);
    if (answer.answer !== 'timeout' && 'ok' in answer.answer) {
      const { workerId, session, beatIntervalMs } = answer.answer.ok;
      this.options.link.confirm();
      this.options.uplink.greeted(answer.answer.ok);
      this.options.logger.info({ workerId, session, beatIntervalMs }, 'connected to the control plane');
    }
    this.feed({ type: 'helloAnswered', connection, ...answer });
  }

  private async sendBeat(beat: BeatFacts): Promise<void> {
    const answer = await this.ask('worker:beat', { ...beat, sample: this.options.greeter.inventory.sample() });
    if (answer.answer !== 'timeout' && 'ok' in answer.answer) {
      this.lastBeatAt = new Date(this.options.clock.nowMs()).toISOString();
      this.noteSample(answer.answer.ok.sampleRefused);
    }
    this.feed({ type: 'beatAnswered', ...answer });
  }

  /** Said once, not with every beat. */
  private noteSample(refused: string | undefined): void {
    if (refused !== undefined && refused !== this.sampleRefused)
      this.options.logger.warn({ refused }, 'the control plane did not take the sample of a beat');
    this.sampleRefused = refused;
  }

  private async sendStart(ref: AttemptRef): Promise<void> {
    this.feed({ type: 'startAnswered', ref, ...(await this.ask('attempt:start', ref)) });
  }

  private async sendRefuse(refuse: Refuse): Promise<void> {
    const { attemptId, epoch } = refuse;
    this.feed({ type: 'refuseAnswered', ref: { attemptId, epoch }, ...(await this.ask('attempt:refuse', refuse)) });
  }

  private async sendEnd(end: AttemptEnd): Promise<void> {
    const { attemptId, epoch } = end;
    let asked = await this.ask('attempt:end', end);
    if (asked.answer !== 'timeout' && 'error' in asked.answer && asked.answer.error.code === 'invalidMessage') {
      // The same again would be refused for ever, and the job would never end.
      this.options.logger.warn({ attemptId, epoch }, 'end refused: it is told without its detail and result');
      asked = await this.ask('attempt:end', toBareEnd(end, asked.answer.error.detail));
    }
    this.feed({ type: 'endAnswered', ref: { attemptId, epoch }, ...asked });
  }

  /** Asks, and says when it was sent and what was answered. An answer of the wrong shape counts as none. */
  private async ask<E extends RequestName>(event: E, body: BodyOf<E>): Promise<Asked<E>> {
    const sentMs = this.options.clock.monotonicMs();
    try {
      const answer = await this.options.link.request(event, body, REQUEST_TIMEOUT_MS);
      if ('error' in answer) this.options.logger.warn({ event, ...answer.error }, 'request refused');
      return { sentMs, answer };
    } catch (error) {
      this.options.logger.debug({ err: error, event }, 'request not answered');
      return { sentMs, answer: 'timeout' };
    }
  }
}
