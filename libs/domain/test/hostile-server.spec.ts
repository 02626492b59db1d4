/**
 * A server that says anything at any time, and answers that come late, twice, or about something else. Whatever comes, the
 * agent starts a process only once per grant, never forgets one that may be alive, and never holds more than its slots.
 */
import type { AttemptId, JobId, Verdict, WorkerId } from '@muster/protocol';
import * as fc from 'fast-check';
import { agentStep, startAgent } from '../src/index.js';
import type { AgentEffect, AgentEvent, AgentState, EndReport } from '../src/index.js';
import { aSpec } from './factories.js';

const SLOTS = 2;
const EXECUTIONS = ['att_1', 'att_2', 'att_3', 'att_4'] as AttemptId[];
const SPECS = [aSpec(), aSpec({ disconnect: { exclusive: true } })];

const executionId = fc.constantFrom(...EXECUTIONS);
const ref = fc.record({ attemptId: executionId, epoch: fc.constantFrom(1, 1, 1, 2) });
const sentMs = fc.constantFrom(0, 0, 1);
const command = fc.record({ kind: fc.constantFrom('stop' as const, 'forceStop' as const, 'freeze' as const, 'thaw' as const), graceSeconds: fc.constant(1), reason: fc.constant('cancelled' as const) });
const leaseMs = fc.constantFrom(null, 5_000, 360_000);
const verdict: fc.Arbitrary<Verdict> = fc.oneof(
  fc.record({ kind: fc.constant('keep' as const), ref, leaseMs, command: fc.option(command) }),
  fc.record({ kind: fc.constant('stop' as const), ref, reason: fc.constant('superseded' as const) }),
  fc.record({ kind: fc.constant('reclaimed' as const), ref, attempt: fc.record({ attemptId: fc.constantFrom('att_8' as AttemptId, 'att_9' as AttemptId), epoch: fc.constant(2) }), leaseMs }),
  fc.record({ kind: fc.constantFrom('unleased' as const, 'reportEnd' as const), ref }),
);
const verdicts = fc.array(verdict, { maxLength: 3 });
const outcome = fc.constantFrom('succeeded' as const, 'failed' as const, 'lost' as const, 'refused' as const, 'superseded' as const);

type Untimed<Event> = Event extends unknown ? Omit<Event, 'nowMs' | 'sentMs'> & { readonly sentMs?: number } : never;
/** What the outside may say; what the agent's own shell says is drawn from what it was told to do. */
const said: fc.Arbitrary<Untimed<AgentEvent>> = fc.oneof(
  fc.record({ type: fc.constantFrom('connected' as const, 'disconnected' as const, 'tick' as const, 'tick' as const, 'slotReleased' as const) }),
  fc.record({ type: fc.constant('helloAnswered' as const), connection: fc.constantFrom(1, 2), sentMs, answer: fc.oneof(fc.constant('timeout' as const), verdicts.map(helloAck)) }),
  fc.record({ type: fc.constant('beatAnswered' as const), sentMs, answer: verdicts.map((list) => ({ ok: { beatIntervalMs: 1_000, verdicts: list } })) }),
  fc.record({ type: fc.constant('offered' as const), offer: fc.tuple(executionId, fc.constantFrom(...SPECS)).map(([id, spec]) => anOffer(id, spec)), objection: fc.constantFrom(null, null, null, { reason: 'diskFloor' as const, detail: 'full' }) }),
  fc.record({ type: fc.constant('withdrawn' as const), ref }),
  fc.record({ type: fc.constant('commanded' as const), ref, command }),
  fc.record({
    type: fc.constant('startAnswered' as const), ref, sentMs,
    answer: fc.oneof(fc.constant('timeout' as const), leaseMs.map((ms) => ({ ok: { kind: 'go' as const, leaseMs: ms } })), fc.constantFrom('superseded' as const, 'cancelled' as const).map((reason) => ({ ok: { kind: 'no' as const, reason } }))),
  }),
  fc.record({ type: fc.constant('endAnswered' as const), ref, sentMs, answer: fc.constantFrom('timeout' as const, { ok: { kind: 'accepted' as const } }, { ok: { kind: 'superseded' as const } }) }),
  fc.record({ type: fc.constant('refuseAnswered' as const), ref, sentMs, answer: fc.constant({ ok: {} }) }),
);
/** What the shell does next: finishes one of the things it was told, or the outside speaks. */
const move = fc.record({ afterMs: fc.constantFrom(0, 10, 100, 4_000, 20_000), shell: fc.option(fc.nat({ max: 9 })), said, outcome });

function helloAck(list: Verdict[]) {
  return { ok: { workerId: 'wkr_1' as WorkerId, name: 'anvil', session: 1, beatIntervalMs: 1_000, workerTimeoutMs: 60_000, verdicts: list } };
}

function anOffer(attemptId: AttemptId, spec: (typeof SPECS)[number]) {
  return { attemptId, epoch: 1, jobId: 'job_1' as JobId, number: 1, spec, gpus: [], offerTtlMs: 15_000 };
}

/** The machine: what the effects made of it, and what it has still to tell. */
class Shell {
  readonly alive = new Set<AttemptId>();
  readonly directories = new Set<AttemptId>();
  private readonly pending: Untimed<AgentEvent>[] = [];
  spawned = 0;

  carryOut(effect: AgentEffect): void {
    if (effect.type === 'writeIntent') {
      this.directories.add(effect.intent.executionId);
      this.pending.push({ type: 'intentWritten', executionId: effect.intent.executionId });
    } else if (effect.type === 'spawn') {
      if (!this.directories.has(effect.executionId)) throw new Error(`${effect.executionId} started without its intent`);
      if (this.alive.has(effect.executionId)) throw new Error(`${effect.executionId} started twice`);
      this.alive.add(effect.executionId);
      this.spawned += 1;
      if (this.alive.size > SLOTS) throw new Error('more processes than slots');
      this.pending.push({ type: 'started', executionId: effect.executionId });
    } else if (effect.type === 'freeze' || effect.type === 'thaw') {
      if (!this.alive.has(effect.executionId)) throw new Error(`${effect.type} of ${effect.executionId}, which has no process`);
      this.pending.push({ type: effect.type === 'freeze' ? 'frozen' : 'thawed', executionId: effect.executionId });
    } else if (effect.type === 'forget') {
      if (this.alive.has(effect.executionId)) throw new Error(`${effect.executionId} forgotten while it may be alive`);
      this.directories.delete(effect.executionId);
    } else if (effect.type === 'settle') {
      if (this.alive.has(effect.executionId)) throw new Error(`${effect.executionId} settled while it may be alive`);
      this.pending.push({ type: 'logDone', executionId: effect.executionId });
    }
  }

  next(choice: number, outcome: EndReport['outcome']): Untimed<AgentEvent> | undefined {
    const [ends] = [...this.alive].slice(choice % 2);
    if (choice < 5 || ends === undefined) return this.pending.shift();
    this.alive.delete(ends);
    const usage = { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null };
    const end: EndReport = { outcome, exit: null, detail: null, usage, containment: 'group', leftovers: 0, logs: {}, ranMs: null };
    return { type: 'ended', executionId: ends, end, isQuarantined: false };
  }
}

describe('a server that says anything', () => {
  test('never makes an agent start twice, overfill itself, or forget what may be alive', () => {
    let spawned = 0;
    fc.assert(
      fc.property(fc.array(move, { minLength: 10, maxLength: 100, size: 'max' }), (moves) => {
        const shell = new Shell();
        let nowMs = 0;
        let state: AgentState = startAgent({ workerId: null, instanceId: 'a', slots: SLOTS, quarantined: 0, beatIntervalMs: 1_000, resendAfterMs: 3_000 }, [], 0).state;
        for (const one of moves) {
          nowMs += one.afterMs;
          const event = one.shell === null ? one.said : (shell.next(one.shell, one.outcome) ?? one.said);
          // An answer to something that was sent just now, or long ago.
          const step = agentStep(state, { ...event, nowMs, ...('answer' in event ? { sentMs: event.sentMs === 0 ? nowMs : 0 } : {}) } as AgentEvent);
          for (const effect of step.effects) shell.carryOut(effect);
          state = step.state;
        }
        spawned += shell.spawned;
      }),
      { numRuns: 1_000 },
    );
    expect(spawned).toBeGreaterThan(100);
  }, 120_000);
});
