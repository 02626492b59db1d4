import { REASON_TEXTS, type AttemptId, type JobId, type JobView, type MetricPointView } from '@muster/protocol';
import { createColors } from 'picocolors';
import { endText, jobRows, noteText } from './job.js';
import { curve, metricRows } from './metrics.js';
import { table } from './table.js';
import { between, duration, facts, pairs, plain, shorten, size, wrapped } from './text.js';

const NOW = Date.parse('2026-11-22T12:00:00.000Z');
const colours = createColors(false);

function aJob(more: Partial<JobView> = {}): JobView {
  const reason = more.reason ?? 'running';
  return {
    id: 'job_01JDABCDEFGHJKMNPQRSTVWXYZ' as JobId,
    name: 'train-iris',
    status: 'running',
    desired: 'run',
    reason,
    reasonText: REASON_TEXTS[reason],
    reasonDetail: null,
    owner: 'maria',
    labels: {},
    priority: 0,
    attemptCount: 1,
    spec: {
      name: 'train-iris',
      run: { command: ['true'] },
      env: {},
      labels: {},
      needs: {},
      limits: {},
      priority: 0,
      graceSeconds: 10,
      stopSignal: 'SIGTERM',
      retry: { onFailure: 0, onWorkerLost: 3, backoffSeconds: 5 },
      disconnect: { lostAfterSeconds: 300, onWorkerLost: 'requeue', exclusive: false },
      logs: { separate: false },
    },
    currentAttemptId: null,
    workerId: null,
    workerName: 'lab-3',
    workerLink: 'connected',
    progress: null,
    result: null,
    exitCode: null,
    signal: null,
    createdAt: '2026-11-22T11:48:00.000Z',
    startedAt: '2026-11-22T11:50:00.000Z',
    finishedAt: null,
    notBeforeAt: null,
    error: null,
    allowedActions: ['cancel'],
    ...more,
  };
}

describe('a list of jobs', () => {
  const jobs = [
    aJob({ progress: { fraction: 0.743, message: 'loss 0.213', at: '' } }),
    aJob({
      name: 'resnet',
      status: 'queued',
      reason: 'noMatchingWorker',
      reasonDetail: 'lab-3 needs 2 GPUs, has 1; box-1 needs 2 GPUs, has none',
      workerName: null,
      workerLink: null,
      startedAt: null,
    }),
    aJob({
      name: 'etl',
      status: 'failed',
      reason: 'nonZeroExit',
      exitCode: 137,
      finishedAt: '2026-11-22T11:51:05.000Z',
    }),
  ];

  it('has one line per job with what a person wants to know', () => {
    const [head = [], ...rows] = jobRows(jobs, NOW, 160, colours);
    expect(table(head, rows)).toBe(
      [
        'ID                              NAME        STATUS   WORKER  AGE  TIME   PROGRESS  NOTE',
        'job_01JDABCDEFGHJKMNPQRSTVWXYZ  train-iris  running  lab-3   12m  10m    74%       loss 0.213',
        'job_01JDABCDEFGHJKMNPQRSTVWXYZ  resnet      queued   -       12m  -      -         lab-3 needs 2 GPUs, has 1; box-1 needs 2 GPUs, has none',
        'job_01JDABCDEFGHJKMNPQRSTVWXYZ  etl         failed   lab-3   12m  1m 5s  -         exit 137',
      ].join('\n'),
    );
  });

  it('is cut to the width of the terminal, and not at all for a pipe', () => {
    const widest = (columns: number): number => {
      const [head = [], ...rows] = jobRows(jobs, NOW, columns, colours);
      return Math.max(
        ...table(head, rows)
          .split('\n')
          .map((line) => line.length),
      );
    };
    expect(widest(110)).toBe(110);
    expect(widest(Number.POSITIVE_INFINITY)).toBeGreaterThan(120);
  });

  it('fits 80 columns: progress stands in the note, ids are a beginning that names the job', () => {
    const [head = [], ...rows] = jobRows(jobs, NOW, 80, colours);
    expect(table(head, rows)).toBe(
      [
        'ID                  NAME        STATUS   WORKER  TIME   NOTE',
        'job_01JDABCDEFGHJK  train-iris  running  lab-3   10m    74% · loss 0.213',
        'job_01JDABCDEFGHJK  resnet      queued   -       -      lab-3 needs 2 GPUs, has…',
        'job_01JDABCDEFGHJK  etl         failed   lab-3   1m 5s  exit 137',
      ].join('\n'),
    );
  });

  it('says when the worker of a running job is in doubt', () => {
    expect(noteText(aJob({ workerLink: 'unreachable', reason: 'workerUnreachable' }))).toMatch(
      /^worker unreachable · Its worker does not answer/,
    );
  });

  it("lets no escape sequence of somebody else's job through", () => {
    const [, row] = jobRows([aJob({ name: '\u001b]0;owned\u0007x' })], NOW, 200, colours);
    expect(row?.join('')).not.toMatch(/[\u001b\u0007]/);
  });
});

describe('the end of a job', () => {
  it('says how long it took, or why it failed', () => {
    expect(
      endText(aJob({ status: 'completed', reason: 'succeeded', finishedAt: '2026-11-22T11:52:30.000Z' }), NOW),
    ).toBe('completed after 2m 30s');
    const failed = aJob({ status: 'failed', reason: 'spawnFailed', reasonDetail: 'nope: not found', startedAt: null });
    expect(endText(failed, NOW)).toBe('failed: nope: not found');
  });
});

describe('what a job measured', () => {
  const points = (values: readonly Record<string, number>[]): MetricPointView[] =>
    values.map((of, index) => ({ attemptId: 'att_01JDABCDEFGHJKMNPQRSTVWXYZ' as AttemptId, step: index, at: '', values: of }));

  it('has a line per metric with its last value, its range and its curve', () => {
    const [head = [], ...rows] = metricRows(points([{ loss: 0.75, lr: 1e-3 }, { loss: 0.5 }, { loss: 0.123456 }, { loss: 0.25 }]), 80);
    expect(table(head, rows)).toBe(
      [
        'METRIC  LAST   MIN     MAX    POINTS  CURVE',
        'loss    0.25   0.1235  0.75   4       █▅▁▂',
        'lr      0.001  0.001   0.001  1       ▁',
      ].join('\n'),
    );
  });

  it('keeps a single peak among a hundred thousand points in sight', () => {
    const flat = Array.from({ length: 100_000 }, (_value, index) => (index === 71_234 ? 9 : 1));
    expect(curve(flat, 40)).toMatch(/^▁+█▁+$/);
    expect(curve(flat, 40)).toHaveLength(40);
  });

  it('shows what is no number as such', () => {
    expect(curve([1, NaN, Infinity, 2], 10)).toBe('▁··█');
    expect(curve([NaN], 10)).toBe('·');
    expect(metricRows(points([{ loss: Number.NaN }]), 80)[1]?.slice(0, 4)).toEqual(['loss', 'NaN', 'NaN', 'NaN']);
  });
});

describe('small words', () => {
  it('durations show their two largest units', () => {
    expect([0, 59_999, 60_000, 200_000, 3_600_000, 7_500_000, 90_000_000, -5].map(duration)).toEqual([
      '0s',
      '59s',
      '1m',
      '3m 20s',
      '1h',
      '2h 5m',
      '1d 1h',
      '0s',
    ]);
    expect(between(null, null, NOW)).toBe('-');
  });

  it('sizes have three digits', () => {
    expect([0, 999, 1_000, 1_536_000, 268_435_456].map(size)).toEqual(['0 B', '999 B', '1 kB', '1.54 MB', '268 MB']);
  });

  it('long texts end with an ellipsis and never inside a character', () => {
    expect([shorten('abc', 3), shorten('abcd', 3), shorten('👍👍👍', 2)]).toEqual(['abc', 'ab…', '👍…']);
  });

  it('long lines are broken between words, and what can be copied is not', () => {
    expect(wrapped('  Next: muster logs -f job_01JDABCDEFGHJKMNPQRSTVWXYZ', 24, 2)).toBe(
      '  Next: muster logs -f\n  job_01JDABCDEFGHJKMNPQRSTVWXYZ',
    );
    expect(wrapped('one two\nthree', 5, 0)).toBe('one two\nthree');
    expect(wrapped(`${'x '.repeat(60)}y`, Number.POSITIVE_INFINITY)).not.toContain('\n');
    expect(wrapped('\u001b[31maaaaaaaaa\u001b[39m bbbbbbbbbb', 20)).not.toContain('\n');
    expect(facts([['Why', 'a '.repeat(12)], ['Exit', '']], 10, 30)).toBe(`Why       ${'a '.repeat(10).trim()}\n          a a `);
  });

  it('control characters become one space', () => {
    expect(plain('a\u001b[31m\r\nb\u202ec')).toBe('a [31m b c');
    expect(pairs({ exp: '7', flag: '' })).toBe('exp=7 flag');
  });
});
