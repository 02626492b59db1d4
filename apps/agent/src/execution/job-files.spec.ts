import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseMetricLine, parseProgressLine, readPiece, readResult } from './job-files.js';

const READ_AT = '2026-01-02T03:04:05.678Z';

describe('a line of metrics', () => {
  const table: [string, string, ReturnType<typeof parseMetricLine>][] = [
    ['step and values', '{"step":1,"loss":0.3}', { step: 1, at: READ_AT, values: { loss: 0.3 } }],
    ['values without a step', '{"loss":-1e-3}', { step: null, at: READ_AT, values: { loss: -0.001 } }],
    [
      'a moment of its own',
      '{"at":"2025-05-05T05:05:05Z","a":1}',
      { step: null, at: '2025-05-05T05:05:05.000Z', values: { a: 1 } },
    ],
    ['a moment that is none', '{"at":"yesterday","a":1}', { step: null, at: READ_AT, values: { a: 1 } }],
    [
      'values that are no numbers, left out',
      '{"a":1,"b":"x","c":null,"d":[1]}',
      { step: null, at: READ_AT, values: { a: 1 } },
    ],
    ['nothing but a step', '{"step":4}', null],
    ['no JSON', 'loss=0.3', null],
    ['a list', '[1]', null],
    ['a number that JSON has not', '{"loss":NaN}', null],
  ];
  it.each(table)('holds %s', (_what, line, point) => {
    expect(parseMetricLine(line, READ_AT)).toEqual(point);
  });

  it('keeps at most 64 values', () => {
    const many = Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`m${index}`, index]));
    expect(Object.keys(parseMetricLine(JSON.stringify(many), READ_AT)?.values ?? {})).toHaveLength(64);
  });
});

describe('a line of progress', () => {
  const table: [string, ReturnType<typeof parseProgressLine>][] = [
    ['0.42 epoch 3 of 7', { fraction: 0.42, message: 'epoch 3 of 7' }],
    ['0.42', { fraction: 0.42, message: null }],
    ['.5', { fraction: 0.5, message: null }],
    ['42% nearly', { fraction: 0.42, message: 'nearly' }],
    ['7', { fraction: 1, message: null }],
    ['loading data', { fraction: null, message: 'loading data' }],
    ['{"fraction":0.1,"message":"a"}', { fraction: 0.1, message: 'a' }],
    ['{"fraction":-2}', { fraction: 0, message: null }],
    ['{"other":1}', null],
    ['{broken', null],
    ['   ', null],
  ];
  it.each(table)('reads %j', (line, progress) => {
    expect(parseProgressLine(line)).toEqual(progress);
  });
});

describe('a file that a job writes', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'muster-job-files-'));
    path = join(folder, 'file');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const asText = (line: string): string | null => (line.startsWith('!') ? null : line);

  it('is read line by line, each once, and only whole lines', async () => {
    expect(await readPiece(path, 0, false, asText)).toBeNull();
    writeFileSync(path, 'a\n\n!\nb');
    expect(await readPiece(path, 0, false, asText)).toEqual({ offset: 0, rawLength: 5, items: ['a'], badLines: 1 });
    expect(await readPiece(path, 5, false, asText)).toBeNull();
    appendFileSync(path, 'c\n');
    expect(await readPiece(path, 5, false, asText)).toEqual({ offset: 5, rawLength: 3, items: ['bc'], badLines: 0 });
    appendFileSync(path, 'end');
    expect(await readPiece(path, 8, true, asText)).toEqual({ offset: 8, rawLength: 3, items: ['end'], badLines: 0 });
  });

  it('cannot hold up the reader with a line without an end', async () => {
    writeFileSync(path, `${'x'.repeat(100_000)}\nshort\n`);
    const first = await readPiece(path, 0, false, asText);
    expect(first).toEqual({ offset: 0, rawLength: 65_536, items: [], badLines: 1 });
    const second = await readPiece(path, 65_536, false, asText);
    expect([second?.rawLength, second?.items.at(-1)]).toEqual([100_007 - 65_536, 'short']);
  });

  it('may hold one JSON value as its result', async () => {
    expect(await readResult(path)).toEqual({ kind: 'absent' });
    writeFileSync(path, '');
    expect(await readResult(path)).toEqual({ kind: 'absent' });
    writeFileSync(path, ' null\n');
    expect(await readResult(path)).toEqual({ kind: 'value', value: null });
    writeFileSync(path, '{"a":1} {"b":2}');
    expect(await readResult(path)).toEqual({
      kind: 'unreadable',
      detail: 'The result is not a JSON value and was not kept.',
    });
    writeFileSync(path, `"${'x'.repeat(65_535)}"`);
    expect((await readResult(path)).kind).toBe('unreadable');
  });
});
