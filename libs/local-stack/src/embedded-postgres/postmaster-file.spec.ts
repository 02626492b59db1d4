import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { livingPostmaster, parsePostmasterFile } from './postmaster-file.js';

const LINES = ['4711', '/data', '1790000000', '35341', '', '127.0.0.1', '  1234 567', 'ready   ', ''];

describe('the file of a running server', () => {
  it('tells pid, port and status', () => {
    expect(parsePostmasterFile(LINES.join('\n'))).toEqual({ pid: 4_711, port: 35_341, status: 'ready' });
  });

  it('tells what it can while it is still being written', () => {
    expect(parsePostmasterFile('4711\n/data\n')).toEqual({ pid: 4_711, port: 0, status: '' });
  });

  it.each(['', '\n', 'x', '-1', '0', '12x'])('tells nothing when it begins with %j', (content) => {
    expect(parsePostmasterFile(content)).toBeUndefined();
  });

  it('is removed when no server of this cluster lives', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'muster-postmaster-'));
    const path = join(folder, 'postmaster.pid');
    for (const pid of ['2147483646', String(process.ppid), 'garbage']) {
      writeFileSync(path, [pid, ...LINES.slice(1)].join('\n'));
      expect(await livingPostmaster(folder)).toBeUndefined();
      expect(existsSync(path)).toBe(false);
    }
    rmSync(folder, { recursive: true });
  });
});
