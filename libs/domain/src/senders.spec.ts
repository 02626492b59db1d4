import type { WorkerId } from '@muster/protocol';
import { ATTEMPT, JOB, NOW_MS, WORKER, aRunningSlice, aSlice, aJob, step } from '../test/factories.js';

const REF = { attemptId: ATTEMPT, epoch: 1 };
const END = {
  type: 'end', ...REF, outcome: 'succeeded', exit: null, detail: null, containment: 'group', leftovers: 0, logs: {},
  usage: { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null }, ranMs: null,
} as const;
const BEAT = { type: 'beat', executions: [{ ...REF, state: 'running' }], isPaused: false, slotsFree: 1, gpusHeld: [] } as const;
const START = { type: 'start', ...REF } as const;
const REFUSE = { type: 'refuse', ...REF, reason: 'noSlot' } as const;
const NOT_SYNCED = { kind: 'senderRefused', reason: 'notSynced' };

describe('a database that lost its last moments', () => {
  test.each([BEAT, START, REFUSE, END])('asks an agent of a session that it does not know for a hello, and changes nothing: $type', (message) => {
    const { decision } = step(aRunningSlice(), { ...message, workerId: WORKER, session: 2 });
    expect(decision).toMatchObject({ reply: NOT_SYNCED, jobs: [], attempts: [], workers: [], events: [], notices: [] });
  });

  test.each([BEAT, START, REFUSE, END])('asks an agent of a worker that it does not know for a hello: $type', (message) => {
    const { decision } = step(aSlice({ jobs: [aJob()] }), { ...message, workerId: 'wkr_forgotten' as WorkerId, session: 1 });
    expect(decision).toMatchObject({ reply: NOT_SYNCED, jobs: [], attempts: [], workers: [] });
  });

  test('has the agent say hello anew when its worker vanished while it said one', () => {
    const hello = { type: 'hello', workerId: WORKER, session: 0, instanceId: '0000000001-a', slots: 1, executions: [], gpusHeld: [] } as const;
    expect(step(aSlice(), hello).reply).toEqual(NOT_SYNCED);
  });

  test('goes on with the agent under the session it knows better', () => {
    const hello = { type: 'hello', workerId: WORKER, session: 2, instanceId: '0000000002-b', slots: 2, executions: [{ ...REF, state: 'running' }], gpusHeld: [] } as const;
    const { reply, after } = step(aRunningSlice(), hello, { nowMs: NOW_MS + 1_000 });
    expect(reply).toMatchObject({ kind: 'synced', session: 2, verdicts: [{ kind: 'keep' }] });
    expect(step(after, { ...END, workerId: WORKER, session: 2 })).toMatchObject({ reply: { kind: 'accepted' }, job: { id: JOB, status: 'completed' } });
    expect(step(after, { ...END, workerId: WORKER, session: 1 }).reply).toEqual({ kind: 'senderRefused', reason: 'superseded' });
  });
});

test.each([BEAT, START, REFUSE, END])('An agent whose key was revoked is told so, and what it says changes nothing: $type', (message) => {
  const { decision } = step(aRunningSlice({ worker: { isFenced: true } }), { ...message, workerId: WORKER, session: 1 });
  const reply = { kind: 'senderRefused', reason: 'keyRevoked' };
  expect(decision).toMatchObject({ reply, jobs: [], attempts: [], workers: [], events: [], notices: [] });
});

test('An agent of a worker that people removed is told so, whatever session it names', () => {
  const slice = aRunningSlice({ worker: { isRemoved: true } });
  for (const session of [0, 1, 2]) expect(step(slice, { ...BEAT, workerId: WORKER, session }).reply).toEqual({ kind: 'senderRefused', reason: 'removed' });
});
