import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cli } from '../src/cli.js';

interface Coverage {
  readonly result: readonly { readonly url: string }[];
}

describe('the start of the muster command', () => {
  let folder: string;
  let cli: Cli;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'muster-start-'));
    cli = new Cli(folder);
  });
  afterAll(() => {
    cli.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Modules that Node loaded for this command line: its coverage lists the files, and each file names what it is made of. */
  async function loadedBy(...words: string[]): Promise<readonly string[]> {
    const reports = mkdtempSync(join(folder, 'coverage-'));
    await cli.run(words, { env: { NODE_V8_COVERAGE: reports } });
    const texts = readdirSync(reports).map((name) => readFileSync(join(reports, name), 'utf8'));
    return texts
      .flatMap((text) => (JSON.parse(text) as Coverage).result.map(({ url }) => url))
      .filter((url) => url.startsWith('file:') && url.includes('/dist/bundle/'))
      .flatMap((url) =>
        [...readFileSync(new URL(url), 'utf8').matchAll(/^ *\/\/ (\S+\.[cm]?js)$/gm)].map(([, path]) => String(path)),
      );
  }

  // Each of these costs tens of milliseconds: a plain command starts in about 100 ms because it loads none of them.
  test.each([
    [['version'], ['/libs/client/', '/libs/local-stack/', '/yaml/', '/cli-table3/']],
    [
      ['submit', '--dry-run', '--', 'true'],
      ['/libs/client/', '/libs/local-stack/', '/yaml/', '/cli-table3/'],
    ],
    [
      ['ps', '--url', 'http://127.0.0.1:9'],
      ['/libs/local-stack/', '/yaml/'],
    ],
  ])('loads nothing for %j that it does not need', async (words, heavy) => {
    const loaded = await loadedBy(...words);
    expect(loaded.some((path) => path.endsWith('dist/main.js'))).toBe(true);
    expect(loaded.filter((path) => heavy.some((part) => path.includes(part)))).toEqual([]);
    expect(loaded.filter((path) => path.includes('dist/commands/')).length).toBeLessThanOrEqual(2);
  });
});
