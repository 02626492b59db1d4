import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');
const PAGE = join(ROOT, 'docs', 'failures.md');

describe('the page of failures', () => {
  let folder: string;
  let page: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-failures-'));
    page = await readFile(PAGE, 'utf8');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const check = async (text: string): Promise<{ stdout: string }> => {
    const copy = join(folder, 'failures.md');
    await writeFile(copy, text);
    return run(process.execPath, [join(ROOT, 'tools', 'check-failures.mjs'), copy], { timeout: 60_000 });
  };
  const expectComplaint = (text: string, complaint: string): Promise<void> =>
    expect(check(text)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(complaint) });
  const rowOf = (id: string): string => new RegExp(`^\\| ${id} \\|.*$`, 'm').exec(page)?.[0] ?? '';

  it('names for every failure tests that are there', async () => {
    await expect(check(page)).resolves.toBeDefined();
  }, 90_000);

  it('is complained of when a test was renamed, its file moved, or a failure forgotten', async () => {
    const row = rowOf('F9');
    await expectComplaint(page.replace(row, row.replace(/\[[^\]]+\]\(/, '[no such promise](')), 'has no test "no such promise"');
    await expectComplaint(page.replace(row, row.replace(/\([^)]+\.spec\.ts\)/, '(../gone.spec.ts)')), 'there is no ../gone.spec.ts');
    await expectComplaint(page.replace(row, ''), 'F9 stands there 0 times');
    await expectComplaint(page.replace(row, '| F9 | a | b | c |'), 'F9 has no proof');
  }, 90_000);
});
