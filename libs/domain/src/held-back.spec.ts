import type { AttemptEnd, AttemptId, ExecutionReport } from '@muster/protocol';
import { ATTEMPT, NOW_MS, WORKER, aRunningSlice, aSpec, step } from '../test/factories.js';
import type { Slice } from './slice.js';

const REF = { attemptId: ATTEMPT, epoch: 1 };
const FROM = { workerId: WORKER, session: 1 } as const;
const RUNS: ExecutionReport = { ...REF, state: 'running' };

function aBeat(executions: readonly ExecutionReport[], facts: { slotsFree?: number; gpusHeld?: readonly number[] } = {}) {
  return { type: 'beat', ...FROM, executions, isPaused: false, slotsFree: 1, gpusHeld: [], ...facts } as const;
}

function aHello(executions: readonly ExecutionReport[], gpusHeld: readonly number[]) {
  return { type: 'hello', ...FROM, instanceId: '0000000001-a', slots: 2, executions, gpusHeld } as const;
}

function anEnd(outcome: AttemptEnd['outcome']) {
  const usage = { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null };
  return { type: 'end', ...FROM, ...REF, outcome, exit: null, detail: null, usage, containment: 'group', leftovers: 0, logs: {}, ranMs: null } as const;
}

/** It holds GPU 1, and runs. */
const running = aRunningSlice({ attempt: { gpus: [1] } });
const worker = (slice: Slice) => slice.workers.get(WORKER);

describe('GPUs that an agent says are held', () => {
  test('are known from the moment it says so, each once and in order', () => {
    expect(worker(step(running, aBeat([RUNS], { gpusHeld: [3, 0, 3] })).after)?.gpusHeld).toEqual([0, 3]);
    expect(worker(step(running, aHello([RUNS], [2])).after)?.gpusHeld).toEqual([2]);
  });

  test('are free again when it says so, and whoever waits for one is looked after', () => {
    const held = step(running, aBeat([RUNS], { gpusHeld: [0] })).after;
    const { after, decision } = step(held, aBeat([RUNS]));
    expect(worker(after)?.gpusHeld).toEqual([]);
    expect(decision.notices).toContainEqual({ kind: 'wakeDispatch' });
    expect(step(running, aBeat([RUNS])).decision.notices).not.toContainEqual({ kind: 'wakeDispatch' });
  });
});

describe('the GPUs of an execution that an agent names', () => {
  test('are those of its lease, and are not counted twice', () => {
    expect(worker(step(running, aBeat([RUNS])).after)?.gpusHeld).toEqual([]);
  });

  test('are held although its lease is over, when it cannot be granted again', () => {
    const exclusive = aRunningSlice({ job: { spec: aSpec({ disconnect: { exclusive: true } }) }, attempt: { gpus: [1] } });
    const { after, reply } = step(exclusive, aBeat([RUNS], { slotsFree: 0 }), { nowMs: NOW_MS + 400_000 });
    expect(reply).toMatchObject({ verdicts: [{ kind: 'unleased' }] });
    expect(worker(after)).toMatchObject({ gpusHeld: [1], slotsUsable: 0 });
  });

  test('are held while it is being stopped because nobody wants it any more', () => {
    const given = step(aRunningSlice({ attempt: { gpus: [1] }, worker: { link: 'unreachable' } }), { type: 'requeue', jobId: 'job_1' as never, actor: 'ada' }).after;
    const { after, reply } = step(given, aBeat([RUNS]));
    expect(reply).toMatchObject({ verdicts: [{ kind: 'stop' }] });
    expect(worker(after)?.gpusHeld).toEqual([1]);
  });

  test('of another worker or of nobody are not looked up', () => {
    const stranger = { attemptId: 'att_unknown' as AttemptId, epoch: 1, state: 'running' } as const;
    expect(worker(step(running, aBeat([RUNS, stranger, { ...RUNS, epoch: 9 }])).after)?.gpusHeld).toEqual([]);
  });
});

describe('a beat that is older than the end of what it names', () => {
  const ended = step(running, anEnd('succeeded')).after;

  test('holds neither its slot nor its GPUs', () => {
    expect(worker(step(ended, aBeat([RUNS])).after)).toMatchObject({ slotsUsable: 2, gpusHeld: [] });
  });
});

describe('an end that says the processes could not be killed', () => {
  const ended = step(running, anEnd('unkillable')).after;

  test('keeps a slot and the GPUs from others before any beat says so', () => {
    expect(worker(ended)).toMatchObject({ slotsUsable: 1, gpusHeld: [1] });
  });

  test('is not taken back by a beat that is older', () => {
    expect(worker(step(ended, aBeat([RUNS])).after)).toMatchObject({ slotsUsable: 1, gpusHeld: [1] });
  });

  test('is over when a beat says nothing of it any more', () => {
    expect(worker(step(ended, aBeat([], { slotsFree: 2 })).after)).toMatchObject({ slotsUsable: 2, gpusHeld: [] });
  });
});
