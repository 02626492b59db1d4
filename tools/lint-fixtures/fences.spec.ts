import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { cases } from './cases.mjs';

interface Complaint {
  readonly ruleId: string | null;
  readonly message: string;
}

/** What ESLint says of each case, in the order of the cases; one process, because loading the rules is what takes time. */
async function lintAll(): Promise<readonly Complaint[][]> {
  const script = path.join(import.meta.dirname, 'lint.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script], { maxBuffer: 16 * 1024 * 1024 });
  return JSON.parse(stdout) as Complaint[][];
}

describe('a fence of the architecture', () => {
  let complaints: readonly Complaint[][];

  beforeAll(async () => {
    complaints = await lintAll();
  }, 120_000);

  const numbered = cases.map((one, index) => ({ title: one.title, rule: one.rule, says: one.says, index }));

  it.each(numbered.filter(({ says }) => says !== undefined))('refuses $title', ({ rule, says, index }) => {
    expect(complaints[index]).toEqual([{ ruleId: rule, message: expect.stringContaining(says ?? '') }]);
  });

  it.each(numbered.filter(({ says }) => says === undefined))('lets $title pass', ({ index }) => {
    expect(complaints[index]).toEqual([]);
  });
});
