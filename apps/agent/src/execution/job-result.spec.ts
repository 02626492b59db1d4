import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readResult } from './job-result.js';

describe('the result of a job', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'muster-job-result-'));
    path = join(folder, 'file');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is one JSON value', async () => {
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

  it('is nested no deeper than everybody on its way can follow', async () => {
    const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    writeFileSync(path, nested(100));
    expect(await readResult(path)).toMatchObject({ kind: 'value' });
    for (const levels of [101, 5_000, 32_000]) {
      writeFileSync(path, `{"deep":${nested(levels - 1)}}`);
      const detail = `The result is nested ${levels} levels deep; at most 100 are kept.`;
      expect(await readResult(path)).toEqual({ kind: 'unreadable', detail });
    }
  });
});
