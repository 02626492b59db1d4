import { METRIC_BATCH_BYTES_MAX, METRIC_BATCH_POINTS_MAX, nextMetricBatch, toMetricPoint } from './metric-lines.js';
import { newestProgress, toProgress } from './progress-line.js';

const AT = '2026-01-02T03:04:05.678Z';
const batch = (text: string, isFinal = false) => nextMetricBatch(Buffer.from(text), isFinal, AT);

describe('metric lines', () => {
  it('become points with a step, values and the time they were read', () => {
    expect(batch('{"step":1,"loss":0.3}\n')).toEqual({
      points: [{ step: 1, at: AT, values: { loss: 0.3 } }],
      rawLength: 22,
    });
  });

  it('take the time the job gave', () => {
    expect(toMetricPoint('{"at":"2026-02-03T00:00:00Z","loss":1}', AT)).toEqual({
      step: null,
      at: '2026-02-03T00:00:00.000Z',
      values: { loss: 1 },
    });
  });

  it.each(['+012345-01-01T00:00:00Z', '0000-06-01T00:00:00Z', '-000001-06-01T00:00:00Z', 'yesterday'])(
    'keep the time of reading where the job says %j',
    (at) => {
      expect(toMetricPoint(JSON.stringify({ at, loss: 1 }), AT)).toEqual({ step: null, at: AT, values: { loss: 1 } });
    },
  );

  it('pass over names that are no text, and keep the rest of the line', () => {
    expect(toMetricPoint('{"a\\u0000b":1,"\\ud800":2,"\\ud83d\\ude42":3}', AT)?.values).toEqual({ '🙂': 3 });
    expect(toMetricPoint('{"\\u0000":1}', AT)).toBeNull();
  });

  it('pass over lines that are no points, and count their bytes', () => {
    const text = 'nonsense\n[1]\n{"loss":"high"}\n{"step":1}\n{"loss":1}\n';
    expect(batch(text)).toEqual({ points: [{ step: null, at: AT, values: { loss: 1 } }], rawLength: text.length });
  });

  it('keep numbers that JSON has no word for, by their names', () => {
    const values = toMetricPoint(
      '{"loss": NaN, "best":-Infinity,"note":"x: NaN,","step":1.5, "huge": 1e999}',
      AT,
    )?.values;
    expect(values).toEqual({ loss: 'NaN', best: '-Infinity', huge: 'Infinity' });
  });

  it('leave a line that is still being written for later', () => {
    expect(batch('{"a":1}\n{"a":').rawLength).toBe(8);
    expect(batch('{"a":1').rawLength).toBe(0);
  });

  it('take the last line without a line end once nothing will be added', () => {
    expect(batch('{"a":1}', true).points).toHaveLength(1);
  });

  it('come in batches', () => {
    const { points, rawLength } = batch('{"a":1}\n'.repeat(METRIC_BATCH_POINTS_MAX + 1));
    expect(points).toHaveLength(METRIC_BATCH_POINTS_MAX);
    expect(rawLength).toBe(8 * METRIC_BATCH_POINTS_MAX);
  });

  it('do not stop at a line longer than a batch', () => {
    expect(batch('x'.repeat(METRIC_BATCH_BYTES_MAX))).toEqual({ points: [], rawLength: METRIC_BATCH_BYTES_MAX });
  });

  it('hold no more than 64 values each, and no names that change objects', () => {
    const line = `{"__proto__":1,${Array.from({ length: 80 }, (_, i) => `"k${i}":${i}`).join(',')}}`;
    const point = toMetricPoint(line, AT);
    expect(Object.keys(point?.values ?? {})).toHaveLength(64);
    expect(Object.getPrototypeOf(point?.values)).toBe(Object.prototype);
  });
});

describe('progress lines', () => {
  it.each([
    ['0.42 epoch 3', { fraction: 0.42, message: 'epoch 3' }],
    ['42% epoch 3', { fraction: 0.42, message: 'epoch 3' }],
    ['1', { fraction: 1, message: null }],
    ['17', { fraction: 1, message: null }],
    ['loading data', { fraction: null, message: 'loading data' }],
    ['{"fraction":0.5,"message":"half"}', { fraction: 0.5, message: 'half' }],
    ['{"message":"a\\u0000b\\n\\ud800"}', { fraction: null, message: 'a b \ufffd' }],
    ['{"fraction":"x"}', null],
    ['{', null],
    ['', null],
  ])('read %j', (line, progress) => {
    expect(toProgress(line)).toEqual(progress);
  });

  it('count only when whole, the newest first', () => {
    expect(newestProgress('0.1 a\n0.2 b\n0.3 c', false)).toEqual({ fraction: 0.2, message: 'b' });
    expect(newestProgress('0.1 a\n0.2 b\n0.3 c', true)).toEqual({ fraction: 0.3, message: 'c' });
    expect(newestProgress('0.1 a\n\n', false)).toEqual({ fraction: 0.1, message: 'a' });
  });
});
