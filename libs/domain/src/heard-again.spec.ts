import type { AttemptId } from '@muster/protocol';
import { ATTEMPT, NOW_MS, WORKER, aRunningSlice, aSpec, step } from '../test/factories.js';
import { newInstanceId } from './instance.js';

const REF = { attemptId: ATTEMPT, epoch: 1 };
const FROM = { workerId: WORKER, session: 1 } as const;
const exclusive = aSpec({ disconnect: { exclusive: true } });

function silenced(silentMs: number) {
  const slice = aRunningSlice({ job: { spec: exclusive } });
  return step(slice, { type: 'workerLink', workerId: WORKER, socket: 'closed' }, { nowMs: NOW_MS + silentMs });
}

describe('a worker that is heard again', () => {
  test.each([['suspect', 'workerSuspect', 1_000], ['unreachable', 'workerUnreachable', 60_000]])(
    'after it was %s leaves no doubt about a job that it does not name',
    (_link, reason, silentMs) => {
      const { after, job } = silenced(silentMs);
      expect(job?.reason).toBe(reason);
      const now = { nowMs: NOW_MS + silentMs };
      const anew = { type: 'hello', workerId: WORKER, instanceId: newInstanceId(2, 'b'), session: 0, slots: 2, executions: [] } as const;
      expect(step(after, anew, now)).toMatchObject({ job: { status: 'running', reason: 'running', reasonDetail: null }, attempt: { state: 'running' } });
      const beat = { type: 'beat', ...FROM, executions: [], isPaused: false, slotsFree: 1 } as const;
      expect(step(after, beat, now).job).toMatchObject({ status: 'running', reason: 'running', reasonDetail: null });
    },
  );

  test('has the slot of a process that it is granted again counted among those it can use', () => {
    const later = { nowMs: NOW_MS + 360_000 };
    const lost = step(aRunningSlice(), { type: 'sweepAttempt', attemptId: ATTEMPT }, later).after;
    const beat = { type: 'beat', ...FROM, executions: [{ ...REF, state: 'running' }], isPaused: false, slotsFree: 1 } as const;
    const back = step(lost, beat, later);
    expect(back.reply).toMatchObject({ verdicts: [{ kind: 'reclaimed', attempt: { attemptId: 'att_8' as AttemptId } }] });
    expect(back.after.workers.get(WORKER)?.slotsUsable).toBe(2);
    // The answer was lost: the agent still calls it by its old name.
    expect(step(back.after, beat, later).after.workers.get(WORKER)?.slotsUsable).toBe(2);
  });
});
