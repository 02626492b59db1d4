import type { AttemptEnd, ExecutionState, Outcome } from '@muster/protocol';
import { ATTEMPT, JOB, NOW_MS, WORKER, aJob, anAttempt, aRunningSlice, aSlice, aSpec, aWorker, step } from '../test/factories.js';
import { newInstanceId } from './instance.js';

const REF = { attemptId: ATTEMPT, epoch: 1 };
/** The start that was granted the attempt, and the newer one, which may have read a copy of its disk. */
const [ORIGINAL, NEWER] = [{ workerId: WORKER, session: 1 } as const, { workerId: WORKER, session: 2 } as const];
const exclusive = aSpec({ disconnect: { exclusive: true } });
const NOT_NAMED = { status: 'running', reason: 'workerSuspect' } as const;

function taken(job: Parameters<typeof aRunningSlice>[0] = {}) {
  return aRunningSlice({ job: { spec: exclusive, ...job.job }, attempt: { grantedSession: 1, ...job.attempt }, worker: { session: 2 } });
}

function listing(state: ExecutionState) {
  return { type: 'hello', workerId: WORKER, instanceId: newInstanceId(2, 'b'), session: 0, slots: 2, executions: [{ ...REF, state }], gpusHeld: [] } as const;
}

function anEnd(outcome: Outcome, ranMs: number | null = null): AttemptEnd {
  const usage = { cpuSeconds: null, memoryBytesPeak: null, wallSeconds: null };
  return { ...REF, outcome, exit: null, detail: null, usage, containment: 'group', leftovers: 0, logs: {}, ranMs };
}

describe('an exclusive attempt that was granted to an older start of its worker', () => {
  const running = taken();
  const untouched = running.attempts.get(ATTEMPT);

  test('is not granted to the newer one, which would start it again', () => {
    const { reply, attempt } = step(running, { type: 'start', ...NEWER, ...REF });
    expect(reply).toEqual({ kind: 'no', reason: 'superseded' });
    expect(attempt).toEqual(untouched);
  });

  test('is not said to be cancelled to the newer one, which would report that nothing ran', () => {
    const cancelling = taken({ job: { desired: 'cancel', reason: 'cancelling' } });
    expect(step(cancelling, { type: 'start', ...NEWER, ...REF }).reply).toEqual({ kind: 'no', reason: 'superseded' });
  });

  test('is not given back by the newer one', () => {
    const { reply, attempt, job } = step(running, { type: 'refuse', ...NEWER, ...REF, reason: 'agentStopping' });
    expect(reply).toEqual({ kind: 'done' });
    expect(attempt).toEqual(untouched);
    expect(job?.status).toBe('running');
  });

  test.each([['refused', null], ['lost', null], ['cancelled', null]] as const)('does not end as %s on the word of the newer one, and is left to its lease', (outcome, ranMs) => {
    const { reply, attempt, job } = step(running, { type: 'end', ...NEWER, ...anEnd(outcome, ranMs) });
    expect(reply).toEqual({ kind: 'superseded' });
    expect(attempt).toEqual(untouched);
    expect(job).toMatchObject(NOT_NAMED);
  });

  test.each([['succeeded', 5_000], ['failed', 5_000], ['cancelled', 5_000], ['timedOut', 5_000]] as const)(
    'ends as %s, which was written down when its process ended, whoever reads it',
    (outcome, ranMs) => {
      const told = taken({ job: { desired: outcome === 'cancelled' ? 'cancel' : 'run' } });
      expect(step(told, { type: 'end', ...NEWER, ...anEnd(outcome, ranMs) })).toMatchObject({ reply: { kind: 'accepted' }, attempt: { outcome } });
    },
  );

  test.each([['accepted', 'unleased', NOT_NAMED], ['exited', 'reportEnd', { reason: 'running' }]] as const)(
    'is not renewed by a newer one that has it %s',
    (state, kind, shown) => {
      const { reply, attempt, job } = step(running, listing(state), { nowMs: NOW_MS + 5_000 });
      expect(reply).toMatchObject({ verdicts: [{ kind, ref: REF }] });
      expect(attempt).toEqual(untouched);
      expect(job).toMatchObject(shown);
    },
  );

  test('goes on as before with a newer one that has its process, and may be said to be gone by that one', () => {
    const adopted = step(running, listing('running'), { nowMs: NOW_MS + 5_000 });
    expect(adopted.reply).toMatchObject({ verdicts: [{ kind: 'keep' }] });
    expect(adopted.attempt).toMatchObject({ state: 'running', leaseUntilMs: NOW_MS + 365_000 });
    const gone = step(adopted.after, { type: 'end', workerId: WORKER, session: 3, ...anEnd('lost', 4_000) });
    expect(gone).toMatchObject({ reply: { kind: 'accepted' }, attempt: { outcome: 'lost' }, job: { status: 'queued' } });
  });

  test('is given to somebody else only when its lease is over', () => {
    const late = { nowMs: NOW_MS + 400_000 };
    expect(step(running, { type: 'sweepAttempt', attemptId: ATTEMPT }, late)).toMatchObject({ attempt: { outcome: 'lost' }, job: { status: 'queued' } });
    // Also then the word of a copy changes nothing.
    const { after } = step(running, { type: 'sweepAttempt', attemptId: ATTEMPT }, late);
    expect(step(after, { type: 'end', ...NEWER, ...anEnd('refused') }, late)).toMatchObject({ reply: { kind: 'superseded' }, attempt: { outcome: 'lost' } });
  });
});

describe('the start that was granted an exclusive attempt', () => {
  test('is remembered with the grant, and believed that nothing ran', () => {
    const offered = aSlice({
      jobs: [aJob({ spec: exclusive, status: 'assigned', reason: 'offered', epoch: 1, attemptCount: 1, currentAttemptId: ATTEMPT })], attempts: [anAttempt()], workers: [aWorker()],
    });
    const granted = step(offered, { type: 'start', ...ORIGINAL, ...REF });
    expect(granted.attempt?.grantedSession).toBe(1);
    expect(step(granted.after, { type: 'refuse', ...ORIGINAL, ...REF, reason: 'tooLate' })).toMatchObject({ attempt: { outcome: 'refused' }, job: { status: 'queued' } });
    expect(step(granted.after, { type: 'end', ...ORIGINAL, ...anEnd('lost') })).toMatchObject({ reply: { kind: 'accepted' } });
  });
});

test('a job that may run twice is given back at once by a newer start that finds it not begun', () => {
  const shared = taken({ job: { spec: aSpec() } });
  expect(step(shared, { type: 'end', ...NEWER, ...anEnd('refused') })).toMatchObject({ reply: { kind: 'accepted' }, job: { id: JOB, status: 'queued' } });
});
