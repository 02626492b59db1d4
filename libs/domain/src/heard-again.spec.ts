import type { AttemptId, ExecutionReport } from '@muster/protocol';
import { ATTEMPT, JOB, NOW_MS, WORKER, aRunningSlice, aSpec, step } from '../test/factories.js';
import { newInstanceId } from './instance.js';

const REF = { attemptId: ATTEMPT, epoch: 1 };
const FROM = { workerId: WORKER, session: 1 } as const;
const exclusive = aSpec({ disconnect: { exclusive: true } });

const NOT_NAMED = 'worker anvil is heard, but its agent does not name the process; unless it is named again, the attempt is given up as lost at 2023-11-14T22:19:20.000Z';

function anew() {
  return { type: 'hello', workerId: WORKER, instanceId: newInstanceId(2, 'b'), session: 0, slots: 2, executions: [], gpusHeld: [] } as const;
}

function aBeat(executions: readonly ExecutionReport[]) {
  return { type: 'beat', ...FROM, executions, isPaused: false, slotsFree: 1, gpusHeld: [] } as const;
}

function silenced(silentMs: number) {
  const slice = aRunningSlice({ job: { spec: exclusive } });
  return step(slice, { type: 'workerLink', workerId: WORKER, socket: 'closed' }, { nowMs: NOW_MS + silentMs });
}

describe('a sign of life', () => {
  const echo = (state: ExecutionReport['state']) => ({ ...aBeat([{ ...REF, state }]), isEcho: true }) as const;

  test.each([['paused', 'running'], ['running', 'paused']] as const)('that was read as %s leaves what is %s by now as it is, and renews it', (read, state) => {
    const slice = aRunningSlice({ attempt: { state }, job: { status: state, reason: state === 'paused' ? 'frozen' : 'running' } });
    const { attempt, job, reply } = step(slice, echo(read), { nowMs: NOW_MS + 5_000 });
    expect([attempt?.state, job?.status, reply]).toMatchObject([state, state, { verdicts: [{ kind: 'keep' }] }]);
    expect(attempt?.leaseUntilMs).toBe(NOW_MS + 365_000);
  });

  test('that was read before the start does not doubt it', () => {
    expect(step(aRunningSlice(), echo('accepted')).job).toMatchObject({ status: 'running', reason: 'running' });
  });

  test('that is decided by an older clock takes nothing back of what was granted by a newer', () => {
    const { after } = step(aRunningSlice(), aBeat([{ ...REF, state: 'running' }]), { nowMs: NOW_MS + 5_000 });
    const { attempt, after: late } = step(after, aBeat([{ ...REF, state: 'running' }]), { nowMs: NOW_MS + 1_000 });
    expect([attempt?.leaseUntilMs, late.workers.get(WORKER)?.lastBeatMs]).toEqual([NOW_MS + 365_000, NOW_MS + 5_000]);
  });
});

describe('a worker that is heard again', () => {
  test.each([['suspect', 'workerSuspect', 1_000], ['unreachable', 'workerUnreachable', 60_000]])(
    'after it was %s is not believed to run a job that it does not name, until it does',
    (_link, reason, silentMs) => {
      const { after, job } = silenced(silentMs);
      expect(job?.reason).toBe(reason);
      const now = { nowMs: NOW_MS + silentMs };
      const doubtful = { status: 'running', reason: 'workerSuspect', reasonDetail: NOT_NAMED };
      expect(step(after, anew(), now)).toMatchObject({ job: doubtful, attempt: { state: 'running' } });
      const beaten = step(after, aBeat([]), now);
      expect(beaten.job).toMatchObject(doubtful);
      const named = step(beaten.after, aBeat([{ ...REF, state: 'running' }]), now);
      expect(named.job).toMatchObject({ status: 'running', reason: 'running', reasonDetail: null });
    },
  );

  test('by a new start that was never missed is not believed to run what it does not know', () => {
    const slice = aRunningSlice({ job: { spec: exclusive } });
    const { job, after } = step(slice, anew());
    expect(job).toMatchObject({ status: 'running', reason: 'workerSuspect', reasonDetail: NOT_NAMED });
    // A wish is kept for when it is known again, and is no news of the process.
    expect(step(after, { type: 'pause', jobId: JOB, actor: 'ada' }).job).toMatchObject({ desired: 'pause', reason: 'workerSuspect' });
    // Nor is a silence that ends.
    const silent = step(after, { type: 'workerLink', workerId: WORKER, socket: 'closed' }, { nowMs: NOW_MS + 1_000 }).after;
    expect(step(silent, { ...anew(), session: 2 }, { nowMs: NOW_MS + 2_000 }).job).toMatchObject({ reason: 'workerSuspect', reasonDetail: NOT_NAMED });
  });

  test.each([
    ['suspect', 1_000, 'worker anvil was not heard lately, and the job is presumed to run on there'],
    ['unreachable', 60_000, 'worker anvil does not answer, and the job may still be running there'],
  ])('and before that is %s: what is known and what comes next is said of its job', (_link, silentMs, known) => {
    expect(silenced(silentMs).job?.reasonDetail).toBe(`${known}; unless it is named again, the attempt is given up as lost at 2023-11-14T22:19:20.000Z`);
  });

  test('and before that leaves a job that waits for it waiting, and says so', () => {
    const waiting = aRunningSlice({ attempt: { leaseUntilMs: null } });
    const { job } = step(waiting, { type: 'workerLink', workerId: WORKER, socket: 'silent' }, { nowMs: NOW_MS + 60_000 });
    expect(job?.reasonDetail).toBe('worker anvil does not answer, and the job may still be running there; the job waits until it is named again, or for a person');
  });

  test('by a new start that names it leaves no doubt', () => {
    const { after } = silenced(60_000);
    expect(step(after, { ...anew(), executions: [{ ...REF, state: 'running' }] }).job).toMatchObject({ reason: 'running', reasonDetail: null });
  });

  test('leaves a job that is being cancelled shown as that', () => {
    const slice = aRunningSlice({ job: { spec: exclusive, desired: 'cancel', reason: 'cancelling' } });
    expect(step(slice, anew()).job).toMatchObject({ reason: 'cancelling' });
  });

  test('has the slot of a process that it is granted again counted among those it can use', () => {
    const later = { nowMs: NOW_MS + 360_000 };
    const lost = step(aRunningSlice(), { type: 'sweepAttempt', attemptId: ATTEMPT }, later).after;
    const beat = { type: 'beat', ...FROM, executions: [{ ...REF, state: 'running' }], isPaused: false, slotsFree: 1, gpusHeld: [] } as const;
    const back = step(lost, beat, later);
    expect(back.reply).toMatchObject({ verdicts: [{ kind: 'reclaimed', attempt: { attemptId: 'att_8' as AttemptId } }] });
    expect(back.after.workers.get(WORKER)?.slotsUsable).toBe(2);
    // The answer was lost: the agent still calls it by its old name.
    expect(step(back.after, beat, later).after.workers.get(WORKER)?.slotsUsable).toBe(2);
  });
});
