import type { AttemptId, Beat, Hello } from '@muster/protocol';
import { Driven, END, REF, X, anOffer } from '../test/driven-agent.js';
import { aSpec } from '../test/factories.js';
import type { RecoveredExecution } from './agent/state.js';

const WITH_GPU = anOffer({ gpus: [0] });
const SECOND = anOffer({ attemptId: 'att_2' as AttemptId, gpus: [0] });
const UNKILLABLE = { type: 'ended', executionId: X, end: { ...END, outcome: 'unkillable' }, isQuarantined: true, nowMs: 30 } as const;
const DECLINED = expect.objectContaining({ refuse: expect.objectContaining({ reason: 'noSlot', detail: 'GPU 0 is still held' }) });

const ADOPTED: RecoveredExecution = {
  executionId: X, ref: REF, jobId: WITH_GPU.jobId, number: 1, spec: aSpec(), gpus: [0], offerTtlMs: 15_000, state: 'running', deadlineMs: null,
  end: null, stop: null, isLogDone: false,
};
const LEFT: RecoveredExecution = { ...ADOPTED, state: 'exited', end: { ...END, outcome: 'unkillable' } };

const second = { type: 'offered', offer: SECOND, objection: null, nowMs: 40 } as const;

/** What its next message says, sent at this moment. */
function beatOf(agent: Driven, nowMs: number): Partial<Beat> {
  const beat = agent.on({ type: 'tick', nowMs }).effects.find((effect) => effect.type === 'sendBeat');
  return beat?.type === 'sendBeat' ? beat.beat : {};
}

function helloOf(agent: Driven): Partial<Hello> {
  agent.on({ type: 'disconnected', nowMs: 100 });
  const hello = agent.on({ type: 'connected', nowMs: 200 }).effects.find((effect) => effect.type === 'sendHello');
  return hello?.type === 'sendHello' ? hello : {};
}

describe('a GPU that a process holds', () => {
  test('is not given to another', () => {
    expect(new Driven(2).running(WITH_GPU).on(second).effects).toEqual([DECLINED]);
  });

  test('is not given to another when the process was adopted by a new start', () => {
    expect(new Driven(2, [ADOPTED]).synced().on(second).effects).toContainEqual(DECLINED);
  });

  test('is not named beside the execution that has it', () => {
    const agent = new Driven(2).running(WITH_GPU);
    expect(beatOf(agent, 60_000)).toMatchObject({ executions: [{ ...REF, state: 'running' }], gpusHeld: [] });
  });

  test('is named once nobody wants the process any more, until it is gone', () => {
    const agent = new Driven(2).running(WITH_GPU).beatAnswered({ kind: 'stop', ref: REF, reason: 'superseded' }, 30, 40);
    expect(beatOf(agent, 60_000)).toMatchObject({ executions: [], gpusHeld: [0] });
    agent.on({ type: 'ended', executionId: X, end: { ...END, outcome: 'superseded' }, isQuarantined: false, nowMs: 61_000 });
    expect(agent.effects).toContainEqual({ type: 'sendBeat', beat: expect.objectContaining({ gpusHeld: [] }) });
  });
});

describe('the GPU of a process that could not be killed', () => {
  test('is not given to another before the slot is released', () => {
    const agent = new Driven(2).running(WITH_GPU).on(UNKILLABLE);
    expect(agent.on(second).effects).toEqual([DECLINED]);
    agent.on({ type: 'slotReleased', nowMs: 50 });
    expect(agent.on({ ...second, offer: { ...SECOND, attemptId: 'att_3' as AttemptId } }).types).toContain('writeIntent');
  });

  test('is named in beats and in the hello of every connection', () => {
    const agent = new Driven(2).running(WITH_GPU).on(UNKILLABLE);
    expect(beatOf(agent, 60_000)).toMatchObject({ slotsFree: 1, gpusHeld: [0] });
    expect(helloOf(agent)).toMatchObject({ gpusHeld: [0] });
  });

  test('is named by a new start that finds it, and given to nobody', () => {
    const agent = new Driven(2, [LEFT], 1).on({ type: 'connected', nowMs: 0 });
    expect(agent.effects).toContainEqual(expect.objectContaining({ type: 'sendHello', gpusHeld: [0] }));
    expect(agent.synced().on(second).effects).toContainEqual(DECLINED);
  });

  test('is free for a new start that finds its process gone', () => {
    expect(new Driven(2, [LEFT], 0).synced().on(second).types).toContain('writeIntent');
  });
});
