import { classifyExit, type ExitFacts } from './classify-exit.js';
import type { StopRecord } from './stop-record.js';

const ended: ExitFacts = {
  status: { code: 0, text: null, atSeconds: 100 },
  noexec: false,
  wasForbidden: false,
  stop: null,
  overdue: false,
  outOfMemory: false,
  lost: null,
  unkillable: false,
  rung: 'cgroup',
  signalKnown: true,
  lastLine: null,
};
const withCode = (code: number, text: string | null = null): Pick<ExitFacts, 'status'> => ({
  status: { code, text, atSeconds: 100 },
});
const stop = (cause: StopRecord['cause'], overrides: Partial<StopRecord> = {}): Pick<ExitFacts, 'stop'> => ({
  stop: { cause, atSeconds: 50, killAtSeconds: 60, signal: 'SIGTERM', detail: null, ...overrides },
});

describe('an end', () => {
  const table: [string, Partial<ExitFacts>, ReturnType<typeof classifyExit>][] = [
    ['with code 0 is a success', {}, { outcome: 'succeeded', exit: { code: 0, signal: null }, detail: null }],
    [
      'with another code is a failure',
      withCode(3),
      { outcome: 'failed', exit: { code: 3, signal: null }, detail: 'It ended with code 3.' },
    ],
    [
      'by a signal names it',
      withCode(137, 'Killed'),
      { outcome: 'failed', exit: { code: null, signal: 'SIGKILL' }, detail: 'It was killed by SIGKILL.' },
    ],
    [
      'by a signal with a core names it',
      withCode(139, 'Segmentation fault (core dumped)'),
      { outcome: 'failed', exit: { code: null, signal: 'SIGSEGV' }, detail: 'It was killed by SIGSEGV.' },
    ],
    [
      'with code 137 is no signal where signals have names',
      withCode(137),
      { outcome: 'failed', exit: { code: 137, signal: null }, detail: 'It ended with code 137.' },
    ],
    [
      'with a message of the shell is no signal',
      withCode(143, 'sh: 1: oops'),
      { outcome: 'failed', exit: { code: 143, signal: null }, detail: 'It ended with code 143.' },
    ],
    [
      'with code 130 is likely SIGINT',
      withCode(130),
      {
        outcome: 'failed',
        exit: { code: 130, signal: 'SIGINT', likely: true },
        detail: 'It ended with code 130, which is probably SIGINT.',
      },
    ],
    [
      'with code 141 is likely SIGPIPE',
      withCode(141),
      {
        outcome: 'failed',
        exit: { code: 141, signal: 'SIGPIPE', likely: true },
        detail: 'It ended with code 141, which is probably SIGPIPE.',
      },
    ],
    [
      'above 128 is likely a signal in a namespace',
      { ...withCode(137), rung: 'namespace' },
      {
        outcome: 'failed',
        exit: { code: 137, signal: 'SIGKILL', likely: true },
        detail: 'It ended with code 137, which is probably SIGKILL.',
      },
    ],
    [
      'above 128 is likely a signal where the shell is silent',
      { ...withCode(143), signalKnown: false },
      {
        outcome: 'failed',
        exit: { code: 143, signal: 'SIGTERM', likely: true },
        detail: 'It ended with code 143, which is probably SIGTERM.',
      },
    ],
    [
      'beyond the signals is a code',
      { ...withCode(255), signalKnown: false },
      { outcome: 'failed', exit: { code: 255, signal: null }, detail: 'It ended with code 255.' },
    ],
    [
      'by our own SIGINT is certain',
      { ...withCode(130), ...stop('cancelled', { signal: 'SIGINT' }) },
      { outcome: 'cancelled', exit: { code: null, signal: 'SIGINT' }, detail: null },
    ],
    [
      'after a cancel is cancelled',
      { ...withCode(143, 'Terminated'), ...stop('cancelled') },
      { outcome: 'cancelled', exit: { code: null, signal: 'SIGTERM' }, detail: null },
    ],
    [
      'after a cancel is cancelled although it chose 0',
      stop('cancelled'),
      { outcome: 'cancelled', exit: { code: 0, signal: null }, detail: null },
    ],
    [
      'before the cancel is its own',
      stop('cancelled', { atSeconds: 100.01 }),
      { outcome: 'succeeded', exit: { code: 0, signal: null }, detail: null },
    ],
    [
      'of a superseded one is superseded',
      { ...withCode(143, 'Terminated'), ...stop('superseded') },
      { outcome: 'superseded', exit: { code: null, signal: 'SIGTERM' }, detail: null },
    ],
    [
      'at a planned stop is stopped',
      { ...withCode(143, 'Terminated'), ...stop('stopped') },
      { outcome: 'stopped', exit: { code: null, signal: 'SIGTERM' }, detail: null },
    ],
    [
      'at the run limit says which',
      { ...withCode(137, 'Killed'), ...stop('runLimit', { detail: 'limit' }) },
      { outcome: 'timedOut', exit: { code: null, signal: 'SIGKILL' }, detail: 'limit' },
    ],
    [
      'at the limit of silence says which',
      { ...withCode(143, 'Terminated'), ...stop('silenceLimit', { detail: 'silent' }) },
      { outcome: 'timedOut', exit: { code: null, signal: 'SIGTERM' }, detail: 'silent' },
    ],
    [
      'at the sampled memory limit is out of memory',
      { ...withCode(137, 'Killed'), ...stop('memoryLimit', { detail: 'big' }) },
      { outcome: 'outOfMemory', exit: { code: null, signal: 'SIGKILL' }, detail: 'big' },
    ],
    [
      'by the kernel for memory is out of memory',
      { ...withCode(137, 'Killed'), outOfMemory: true },
      {
        outcome: 'outOfMemory',
        exit: { code: null, signal: 'SIGKILL' },
        detail: 'The kernel killed it at its memory limit.',
      },
    ],
    [
      'without exec could not be started',
      { ...withCode(126), noexec: true, lastLine: 'sh: 5: exec: Permission denied' },
      {
        outcome: 'spawnFailed',
        exit: null,
        detail: 'The program could not be started: sh: 5: exec: Permission denied',
      },
    ],
    [
      'without exec and without words could not be started',
      { ...withCode(125), noexec: true },
      { outcome: 'spawnFailed', exit: null, detail: 'The program could not be started.' },
    ],
    [
      'of a forbidden start that was cancelled',
      { ...withCode(125), noexec: true, wasForbidden: true, ...stop('cancelled') },
      { outcome: 'cancelled', exit: null, detail: 'It was stopped before it started.' },
    ],
    [
      'of a forbidden start nobody asked for may be ordered again',
      { ...withCode(125), noexec: true, wasForbidden: true },
      { outcome: 'refused', exit: null, detail: 'It never started: the process prepared for it was gone.' },
    ],
    [
      'of a forbidden start whose supervisor is gone may be ordered again, also past its deadline',
      { status: null, wasForbidden: true, lost: 'supervisorDied', overdue: true },
      { outcome: 'refused', exit: null, detail: 'It never started: the process prepared for it was gone.' },
    ],
    [
      'by the warden is lost',
      { ...withCode(137, 'Killed'), overdue: true },
      {
        outcome: 'lost',
        exit: { code: null, signal: 'SIGKILL' },
        detail: 'Its lease ran out while the agent could not renew it, so the warden killed it.',
      },
    ],
    [
      'nobody wrote down is lost',
      { status: null, lost: 'supervisorDied' },
      { outcome: 'lost', exit: null, detail: 'Its supervisor died, and with it the knowledge of how the job ended.' },
    ],
    [
      'nobody wrote down after a cancel is cancelled',
      { status: null, lost: 'supervisorDied', ...stop('cancelled') },
      { outcome: 'cancelled', exit: null, detail: null },
    ],
    [
      'in a reboot is lost',
      { status: null, lost: 'reboot' },
      { outcome: 'lost', exit: null, detail: 'The machine was restarted while it ran.' },
    ],
    [
      'that does not come is unkillable, whatever was asked',
      { status: null, unkillable: true, ...stop('cancelled') },
      { outcome: 'unkillable', exit: null, detail: 'Its processes were still there 60 s after KILL.' },
    ],
  ];
  it.each(table)('%s', (_what, facts, classified) => {
    expect(classifyExit({ ...ended, ...facts })).toEqual(classified);
  });
});
