import type { AttemptId, JobId, StartAck, Verdict, WorkerId } from '@muster/protocol';
import { aSpec } from '../test/factories.js';
import { agentStep, startAgent } from './agent-step.js';
import type { AgentEffect } from './agent/effects.js';
import type { AgentEvent } from './agent/events.js';
import type { AgentState, RecoveredExecution } from './agent/state.js';

const X = 'att_1' as AttemptId;
const REF = { attemptId: X, epoch: 1 };
const FREEZE = { kind: 'freeze', graceSeconds: 10, reason: 'paused' } as const;
const THAW = { kind: 'thaw', graceSeconds: 10, reason: 'resumed' } as const;
const STOP = { kind: 'stop', graceSeconds: 10, reason: 'cancelled' } as const;
const GO: StartAck = { kind: 'go', leaseMs: 360_000 };

const FOUND: RecoveredExecution = {
  executionId: X, ref: REF, jobId: 'job_1' as JobId, number: 1, spec: aSpec(), gpus: [], offerTtlMs: 15_000, state: 'paused', deadlineMs: null, end: null, stop: null, isLogDone: false,
};

/** An agent driven by events; `did` lists what the last one made it do, beats aside. */
class Driven {
  state: AgentState;
  effects: readonly AgentEffect[];

  constructor(recovered: readonly RecoveredExecution[] = []) {
    const config = { workerId: 'wkr_1' as WorkerId, instanceId: '0000000001-a', slots: 1, quarantined: 0, beatIntervalMs: 10_000, resendAfterMs: 3_000 };
    ({ state: this.state, effects: this.effects } = startAgent(config, recovered, 0));
  }

  on(event: AgentEvent): this {
    ({ state: this.state, effects: this.effects } = agentStep(this.state, event));
    return this;
  }

  synced(verdicts: readonly Verdict[] = []): this {
    this.on({ type: 'connected', nowMs: 0 });
    const ok = { workerId: 'wkr_1' as WorkerId, name: 'anvil', session: 1, beatIntervalMs: 10_000, workerTimeoutMs: 60_000, verdicts };
    return this.on({ type: 'helloAnswered', connection: this.state.connection, sentMs: 0, answer: { ok }, nowMs: 0 });
  }

  asking(): this {
    const offer = { ...REF, jobId: 'job_1' as JobId, number: 1, spec: aSpec(), gpus: [], offerTtlMs: 15_000 };
    return this.synced().on({ type: 'offered', offer, objection: null, nowMs: 0 }).on({ type: 'intentWritten', executionId: X, nowMs: 0 });
  }

  starting(): this {
    return this.asking().on({ type: 'startAnswered', ref: REF, sentMs: 0, answer: { ok: GO }, nowMs: 10 });
  }

  running(): this {
    return this.starting().started();
  }

  started(): this {
    return this.on({ type: 'started', executionId: X, nowMs: 20 });
  }

  told(command: typeof FREEZE | typeof THAW | typeof STOP): this {
    return this.on({ type: 'commanded', ref: REF, command, nowMs: 30 });
  }

  turned(type: 'frozen' | 'thawed'): this {
    return this.on({ type, executionId: X, nowMs: 40 });
  }

  get phase() {
    return this.state.executions.get(X)?.phase;
  }

  get did() {
    return this.effects.map((effect) => effect.type).filter((type) => type !== 'sendBeat');
  }

  get reported() {
    return this.effects.flatMap((effect) => (effect.type === 'sendBeat' ? effect.beat.executions.map((execution) => execution.state) : []));
  }
}

describe('pausing on the agent', () => {
  test('freezes what runs, and says so with a beat at once, but not before it is frozen', () => {
    const agent = new Driven().running().told(FREEZE);
    expect([agent.did, agent.phase]).toEqual([['freeze'], 'running']);
    expect([agent.turned('frozen').phase, agent.reported]).toEqual(['paused', ['paused']]);
  });

  test('continues what is frozen, and says so with a beat at once', () => {
    const agent = new Driven().running().told(FREEZE).turned('frozen').told(THAW);
    expect([agent.did, agent.phase]).toEqual([['thaw'], 'paused']);
    expect([agent.turned('thawed').phase, agent.reported]).toEqual(['running', ['running']]);
  });

  test('asked for before there is a process, freezes it as soon as it is alive', () => {
    for (const before of [new Driven().asking().told(FREEZE).on({ type: 'startAnswered', ref: REF, sentMs: 0, answer: { ok: GO }, nowMs: 10 }), new Driven().starting().told(FREEZE)]) {
      expect(before.did).not.toContain('freeze');
      expect(before.started().did).toEqual(['freeze']);
    }
  });

  test('taken back before there is a process, lets it run', () => {
    expect(new Driven().starting().told(FREEZE).told(THAW).started().did).toEqual([]);
  });

  test('taken back while the freeze is on its way, continues it once it is frozen; and the other way round', () => {
    const agent = new Driven().running().told(FREEZE).told(THAW);
    expect(agent.did).toEqual([]);
    expect(agent.turned('frozen').did).toEqual(['thaw']);
    expect(agent.told(FREEZE).did).toEqual([]);
    expect(agent.turned('thawed').did).toEqual(['freeze']);
  });

  test('repeated by a verdict while it is not done is tried again, and not once it is', () => {
    const agent = new Driven().running().told(FREEZE);
    const keep: Verdict = { kind: 'keep', ref: REF, leaseMs: 360_000, command: FREEZE };
    const beat = { type: 'beatAnswered', sentMs: 30, nowMs: 35, answer: { ok: { beatIntervalMs: 10_000, verdicts: [keep] } } } as const;
    expect(agent.on(beat).did).toEqual(['freeze']);
    expect(agent.turned('frozen').on(beat).did).toEqual([]);
  });

  test('that arrived while the agent was away is carried out by the answer to its hello', () => {
    const agent = new Driven().running().on({ type: 'disconnected', nowMs: 25 });
    expect(agent.synced([{ kind: 'keep', ref: REF, leaseMs: 360_000, command: FREEZE }]).did).toEqual(['freeze']);
  });

  test('gives way to a stop, whichever came first', () => {
    const frozen = new Driven().running().told(FREEZE).turned('frozen').told(STOP);
    expect(frozen.did).toEqual(['stop']);
    // The shell thawed it, so that it hears its signal.
    expect(frozen.turned('thawed').did).toEqual([]);
    expect(new Driven().running().told(STOP).told(FREEZE).did).toEqual([]);
    expect(new Driven().starting().told(FREEZE).told(STOP).started().did).toEqual([]);
  });

  test('survives the agent: a new start takes frozen processes on frozen, and continues them when it is told to', () => {
    const agent = new Driven([FOUND]);
    expect(agent.did).toEqual([]);
    expect(agent.synced().reported).toEqual(['paused']);
    expect(agent.told(THAW).did).toEqual(['thaw']);
  });

  test('does not stop the clock of an exclusive lease: a frozen process past its fence is killed like any other', () => {
    const agent = new Driven([{ ...FOUND, deadlineMs: 5_000, spec: aSpec({ disconnect: { exclusive: true } }) }]);
    expect(agent.on({ type: 'tick', nowMs: 5_000 }).effects).toContainEqual({ type: 'stop', executionId: X, cause: 'leaseOver', isForced: true, graceSeconds: 0 });
  });

  test('is kept when the process goes on in the term of another attempt', () => {
    const agent = new Driven([FOUND]).synced([{ kind: 'reclaimed', ref: REF, attempt: { attemptId: 'att_2' as AttemptId, epoch: 2 }, leaseMs: 360_000 }]);
    expect([agent.did, agent.phase]).toEqual([['rebind'], 'paused']);
  });
});
