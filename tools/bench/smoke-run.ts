/** Runs suites in their tiniest size and judges what they say. Nothing is asserted about time: a busy machine says nothing about us. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Result {
  readonly suite: string;
  readonly conditions: Readonly<Record<string, string>>;
  readonly sections: readonly {
    readonly title: string;
    readonly figures: readonly { readonly kind: string; readonly value: number | null }[];
  }[];
}

export async function expectWholeRun(name: string, suites: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'muster-bench-spec-'));
  try {
    const file = join(folder, 'all.json');
    const { code, output } = await runBench([name, '--smoke', '--json', file]);
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    const written: Result | Result[] = JSON.parse(readFileSync(file, 'utf8'));
    const results = Array.isArray(written) ? written : [written];
    expect(results.map(({ suite }) => suite)).toEqual(suites);
    for (const result of results) expectWhole(result, output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function expectWhole({ suite, conditions, sections }: Result, output: string): void {
  expect(output).toContain(`Suite ${suite}`);
  expect(conditions.postgres).toContain('synchronous_commit on');
  expect(conditions.agent).toMatch(/containment (cgroup|namespace|group)/);
  for (const { title, figures } of sections) {
    expect(output).toContain(`## ${title}`);
    expect(figures.length).toBeGreaterThan(0);
    for (const figure of figures) if (figure.kind !== 'remark') expect(Number.isFinite(figure.value)).toBe(true);
  }
}

export function runBench(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'bench.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => (output += piece.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}
