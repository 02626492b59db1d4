import { exitCodeOfJob, propagatedExitCode } from './exit-codes.js';

describe('a command that waited for a job', () => {
  it.each([
    ['completed', 'succeeded', 0],
    ['failed', 'nonZeroExit', 1],
    ['failed', 'timedOut', 1],
    ['failed', 'spawnFailed', 1],
    ['failed', 'workerLost', 8],
    ['failed', 'abandoned', 8],
    ['cancelled', 'cancelledByUser', 8],
  ] as const)('ends with %s (%s) as %i', (status, reason, code) => {
    expect(exitCodeOfJob({ status, reason })).toBe(code);
  });

  it.each([
    [{ exitCode: 0, signal: null }, 0],
    [{ exitCode: 42, signal: null }, 42],
    [{ exitCode: null, signal: 'SIGKILL' }, 137],
    [{ exitCode: null, signal: 'SIGTERM' }, 143],
    // Where code and signal cannot be told apart both are given: the code already is what a shell would say.
    [{ exitCode: 130, signal: 'SIGINT' }, 130],
    [{ exitCode: null, signal: null }, 1],
    [{ exitCode: null, signal: 'SIGSOMETHING' }, 1],
  ])('propagates %j as %i', (exit, code) => {
    expect(propagatedExitCode({ status: 'failed', reason: 'nonZeroExit', ...exit })).toBe(code);
  });
});
