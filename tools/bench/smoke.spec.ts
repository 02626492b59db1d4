import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SUITES } from './sizes.mjs';

jest.setTimeout(300_000);

interface Result {
  readonly suite: string;
  readonly conditions: Readonly<Record<string, string>>;
  readonly sections: readonly {
    readonly title: string;
    readonly figures: readonly { readonly kind: string; readonly value: number | null }[];
  }[];
}

describe('npm run bench', () => {
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'muster-bench-spec-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Nothing is asserted about time: a busy machine says nothing about us. */
  it('runs every suite to its end, says under which conditions, and writes what it measured', async () => {
    const file = join(folder, 'all.json');
    const { code, output } = await run(['all', '--smoke', '--json', file]);
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    const results: Result[] = JSON.parse(readFileSync(file, 'utf8'));
    expect(results.map(({ suite }) => suite)).toEqual(SUITES);
    for (const { suite, conditions, sections } of results) {
      expect(output).toContain(`Suite ${suite}`);
      expect(conditions.postgres).toContain('synchronous_commit on');
      expect(conditions.agent).toMatch(/containment (cgroup|namespace|group)/);
      for (const { title, figures } of sections) {
        expect(output).toContain(`## ${title}`);
        expect(figures.length).toBeGreaterThan(0);
        for (const figure of figures) if (figure.kind !== 'remark') expect(Number.isFinite(figure.value)).toBe(true);
      }
    }
  });

  it('refuses a suite that does not exist, naming those that do', async () => {
    const { code, output } = await run(['speed']);
    expect(code).toBe(2);
    expect(output).toContain(SUITES.join(', '));
  });

  function run(args: readonly string[]): Promise<{ code: number | null; output: string }> {
    const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'bench.mjs'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece: Buffer) => (output += piece.toString()));
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
  }
});
