import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GrowthWatch } from './growth-watch.js';

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const endMs = Date.now() + 30_000; !condition();) {
    if (Date.now() > endMs) throw new Error(`Waited 30 s for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('a watch for growth', () => {
  let directory: string;
  let path: string;
  let told: number;
  let watch: GrowthWatch;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'muster-watch-'));
    path = join(directory, 'out.log');
    told = 0;
    watch = new GrowthWatch(path, () => (told += 1));
  });
  afterEach(async () => {
    watch.clear();
    await rm(directory, { recursive: true, force: true });
  });

  it('tells of a write, once for each time it is set', async () => {
    await writeFile(path, '');
    expect(watch.set()).toBe(true);
    await appendFile(path, 'one\n');
    await until(() => told === 1, 'the first write');
    expect(watch.isSet).toBe(false);
    expect(watch.set()).toBe(true);
    await appendFile(path, 'two\n');
    await until(() => told === 2, 'the second write');
  });

  it('cannot be set for a file that is not there, and can once it is', async () => {
    expect(watch.set()).toBe(false);
    await writeFile(path, '');
    expect(watch.set()).toBe(true);
    await appendFile(path, 'one\n');
    await until(() => told === 1, 'the write');
  });

  it('says nothing after it was cleared', async () => {
    await writeFile(path, '');
    watch.set();
    watch.clear();
    const other = new GrowthWatch(path, () => (told += 10));
    other.set();
    await appendFile(path, 'one\n');
    await until(() => told >= 10, 'what another watch was told');
    expect(told).toBe(10);
  });
});
