import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');
const PAGE = join(ROOT, 'docs', 'lifecycles.md');

function check(page: string): Promise<{ stdout: string }> {
  return run(process.execPath, [join(ROOT, 'tools', 'render-lifecycles.mjs'), '--check', page], { timeout: 60_000 });
}

describe('docs/lifecycles.md', () => {
  test('is found stale when a transition is missing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'muster-lifecycles-'));
    try {
      const copy = join(folder, 'lifecycles.md');
      await cp(PAGE, copy);
      await writeFile(copy, (await readFile(copy, 'utf8')).replace(/^ {2}queued --> assigned.*\n/m, ''));
      await expect(check(copy)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('is stale') });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 90_000);
});
