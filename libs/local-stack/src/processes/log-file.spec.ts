import {
  closeSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOG_FILE_BYTES_MAX, openLogFile, readTail, sizeOf } from './log-file.js';

describe('a log file', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'muster-log-'));
    path = join(folder, 'logs', 'agent.log');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const append = (content: string) => {
    const file = openLogFile(path);
    writeSync(file, content);
    closeSync(file);
  };

  it('is appended to, and only its owner may read it', () => {
    append('one\n');
    append('two\n');
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it('is set aside at the next start when it has grown too large', () => {
    append('old\n');
    truncateSync(path, LOG_FILE_BYTES_MAX + 1);
    append('new\n');
    expect(readFileSync(path, 'utf8')).toBe('new\n');
    expect(existsSync(`${path}.1`)).toBe(true);
  });

  it('shows its last lines, from where one cares', () => {
    append('before\n');
    const from = sizeOf(path) ?? 0;
    append('one\ntwo\nthree\n');
    expect(readTail(path, { lines: 2 })).toBe('two\nthree');
    expect(readTail(path, { from })).toBe('one\ntwo\nthree');
    expect(readTail(path, { from: sizeOf(path) ?? 0 })).toBe('');
  });

  it('is shown quickly however large it is', () => {
    append('');
    writeFileSync(path, `${'x'.repeat(200_000)}\nlast\n`);
    expect(readTail(path, { lines: 1 })).toBe('last');
  });

  it('is empty when it does not exist', () => {
    expect(readTail(join(folder, 'none'))).toBe('');
    expect(sizeOf(join(folder, 'none'))).toBeUndefined();
  });
});
