/** An agent driven by events, for specs of `agentStep`: it has one slot and one attempt unless a test says more. */
import type { Ack, AttemptId, JobId, Offer, StartAck, Verdict, WorkerId } from '@muster/protocol';
import { agentStep, startAgent } from '../src/agent-step.js';
import type { AgentEffect } from '../src/agent/effects.js';
import type { AgentEvent } from '../src/agent/events.js';
import type { AgentState, EndReport, RecoveredExecution } from '../src/agent/state.js';
import { aSpec } from './factories.js';

export const X = 'att_1' as AttemptId;
export const REF = { attemptId: X, epoch: 1 };
export const BEAT_MS = 10_000;

export const END: EndReport = {
  outcome: 'succeeded', exit: { code: 0, signal: null }, detail: null, usage: { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null },
  containment: 'group', leftovers: 0, logs: {}, ranMs: null,
};

export function anOffer(facts: Partial<Offer> = {}): Offer {
  return { ...REF, jobId: 'job_1' as JobId, number: 1, spec: aSpec(), gpus: [], offerTtlMs: 15_000, ...facts };
}

/** With what the last event made it do. */
export class Driven {
  state: AgentState;
  effects: readonly AgentEffect[] = [];

  constructor(slots = 1, recovered: readonly RecoveredExecution[] = [], quarantined = 0) {
    const config = { workerId: null, instanceId: '0000000001-a', slots, quarantined, beatIntervalMs: BEAT_MS, resendAfterMs: 3_000 };
    const step = startAgent(config, recovered, 0);
    this.state = step.state;
    this.effects = step.effects;
  }

  on(event: AgentEvent): this {
    const step = agentStep(this.state, event);
    this.state = step.state;
    this.effects = step.effects;
    return this;
  }

  synced(nowMs = 0, verdicts: readonly Verdict[] = []): this {
    this.on({ type: 'connected', nowMs });
    const ok = { workerId: 'wkr_1' as WorkerId, name: 'anvil', session: 1, beatIntervalMs: BEAT_MS, workerTimeoutMs: 60_000, verdicts };
    return this.on({ type: 'helloAnswered', connection: this.state.connection, sentMs: nowMs, answer: { ok }, nowMs });
  }

  asking(offer = anOffer(), nowMs = 0): this {
    this.on({ type: 'offered', offer, objection: null, nowMs });
    return this.on({ type: 'intentWritten', executionId: offer.attemptId, nowMs });
  }

  answered(ack: StartAck, sentMs: number, nowMs: number): this {
    return this.on({ type: 'startAnswered', ref: REF, sentMs, answer: { ok: ack }, nowMs });
  }

  running(offer = anOffer()): this {
    this.synced().asking(offer).answered({ kind: 'go', leaseMs: 360_000 }, 0, 10);
    return this.on({ type: 'started', executionId: X, nowMs: 20 });
  }

  exited(): this {
    return this.running().on({ type: 'ended', executionId: X, end: END, isQuarantined: false, nowMs: 30 });
  }

  beatAnswered(verdict: Verdict, sentMs: number, nowMs: number): this {
    return this.on({ type: 'beatAnswered', sentMs, nowMs, answer: { ok: { beatIntervalMs: BEAT_MS, verdicts: [verdict] } } });
  }

  endAnswered(answer: Ack<{ kind: 'accepted' | 'repeated' | 'superseded' }> | 'timeout', nowMs = 40): this {
    return this.on({ type: 'endAnswered', ref: REF, sentMs: 30, answer, nowMs });
  }

  get phase() {
    return this.state.executions.get(X)?.phase;
  }

  get types() {
    return this.effects.map((effect) => effect.type);
  }
}
