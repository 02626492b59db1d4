import { aJob, aSpec } from '../test/factories.js';
import { FREE_REFUSALS, nthBackoffMs, decideRetry, failureReason, withoutLoss } from './retry.js';
import type { RetryCause } from './retry.js';

const EXIT = (code: number) => ({ kind: 'failure', outcome: 'failed', exit: { code, signal: null } }) as const satisfies RetryCause;
const LOST = { kind: 'lost', wasRunning: true } as const satisfies RetryCause;

describe('retry', () => {
  test('a failure of the job itself is not retried unless that was asked for', () => {
    expect(decideRetry(aJob(), EXIT(1), 0)).toMatchObject({ kind: 'fail', reason: 'nonZeroExit', tries: { failures: 1 } });
    const asked = aJob({ spec: aSpec({ retry: { onFailure: 1 } }) });
    expect(decideRetry(asked, EXIT(1), 0)).toMatchObject({ kind: 'again', reason: 'backoff' });
    expect(decideRetry({ ...asked, failures: 1 }, EXIT(1), 0)).toMatchObject({ kind: 'fail' });
  });

  test('with exit codes named, only those are retried', () => {
    const job = aJob({ spec: aSpec({ retry: { onFailure: 3, exitCodes: [75] } }) });
    expect(decideRetry(job, EXIT(75), 0).kind).toBe('again');
    expect(decideRetry(job, EXIT(1), 0).kind).toBe('fail');
    expect(decideRetry(job, { kind: 'failure', outcome: 'timedOut', exit: null }, 0)).toMatchObject({ kind: 'fail', reason: 'timedOut' });
  });

  test('budgets of different causes are not taken from one another', () => {
    const job = aJob({ losses: 2, spec: aSpec({ retry: { onFailure: 1 } }) });
    expect(decideRetry(job, EXIT(1), 0)).toMatchObject({ kind: 'again', tries: { failures: 1, losses: 2 } });
  });

  test('a lost worker is forgiven three times', () => {
    const lost = { kind: 'lost', wasRunning: false } as const;
    expect(decideRetry(aJob({ losses: 2 }), lost, 0).kind).toBe('again');
    expect(decideRetry(aJob({ losses: 3 }), lost, 0)).toMatchObject({ kind: 'fail', reason: 'workerLost' });
  });

  test('a job that was running when three workers were lost is not tried again, whatever its budget', () => {
    const job = aJob({ losses: 2, lossesWhileRunning: 2, spec: aSpec({ retry: { onWorkerLost: 50 } }) });
    expect(decideRetry(job, LOST, 0)).toMatchObject({ kind: 'fail', reason: 'poisonJob' });
  });

  test('policy fail ends the job with its worker', () => {
    const job = aJob({ spec: aSpec({ disconnect: { onWorkerLost: 'fail' } }) });
    expect(decideRetry(job, LOST, 0)).toMatchObject({ kind: 'fail', reason: 'workerLost' });
  });

  test.each([EXIT(1), LOST, { kind: 'stopped' } as const])('never is absolute: $kind', (cause) => {
    expect(decideRetry(aJob({ spec: aSpec({ retry: { never: true } }) }), cause, 0).kind).toBe('fail');
  });

  test('what never began is no retry, so never does not forbid it', () => {
    expect(decideRetry(aJob({ spec: aSpec({ retry: { never: true } }) }), { kind: 'refused' }, 0).kind).toBe('again');
  });

  test.each([
    [{ losses: 1, lossesWhileRunning: 1 }, { losses: 0, lossesWhileRunning: 0 }],
    [{ losses: 1, lossesWhileRunning: 0 }, { losses: 0, lossesWhileRunning: 0 }],
    [{ losses: 3, lossesWhileRunning: 2 }, { losses: 2, lossesWhileRunning: 2 }],
    [{ losses: 2, lossesWhileRunning: 2 }, { losses: 1, lossesWhileRunning: 1 }],
    [{ losses: 0, lossesWhileRunning: 0 }, { losses: 0, lossesWhileRunning: 0 }],
  ])('a loss that was none, of %j, leaves %j: never fewer losses while running than there were', (before, after) => {
    expect(withoutLoss(aJob(before), 'forgotten')).toMatchObject(after);
  });

  test('a planned stop costs nothing and waits for nothing', () => {
    expect(decideRetry(aJob(), { kind: 'stopped' }, 0)).toMatchObject({ kind: 'again', reason: 'workerStopped', backoffMs: 0, tries: { failures: 0, losses: 0 } });
  });

  test('refusals are free at first, then only delayed, never fatal', () => {
    expect(decideRetry(aJob({ refusals: FREE_REFUSALS - 1 }), { kind: 'refused' }, 1)).toMatchObject({ kind: 'again', reason: 'waiting', backoffMs: 0 });
    expect(decideRetry(aJob({ refusals: FREE_REFUSALS }), { kind: 'refused' }, 1)).toMatchObject({ kind: 'again', reason: 'backoff', backoffMs: 5_000 });
    expect(decideRetry(aJob({ refusals: 10_000 }), { kind: 'refused' }, 1).kind).toBe('again');
  });

  test('a process that cannot be stopped gets no second copy', () => {
    const job = aJob({ spec: aSpec({ retry: { onFailure: 5 } }) });
    expect(decideRetry(job, { kind: 'failure', outcome: 'unkillable', exit: null }, 0)).toMatchObject({ kind: 'fail', reason: 'unkillable' });
  });

  test('backoffs double, keep within half and all of their length, and have a ceiling', () => {
    expect([1, 2, 3].map((nth) => nthBackoffMs(nth, 5, 1))).toEqual([5_000, 10_000, 20_000]);
    expect(nthBackoffMs(3, 5, 0)).toBe(10_000);
    expect(nthBackoffMs(1_000, 5, 1)).toBe(300_000);
    expect(nthBackoffMs(4, 0, 1)).toBe(0);
  });

  test('a signal and an exit code are different reasons', () => {
    expect(failureReason('failed', { code: null, signal: 'SIGSEGV' })).toBe('signalled');
    expect(failureReason('failed', { code: 130, signal: 'SIGINT', likely: true })).toBe('nonZeroExit');
  });
});
