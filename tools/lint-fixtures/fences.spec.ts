import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { fences } from '../eslint/fences.js';
import { layers } from '../eslint/layers.js';
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

/** Every reason that the fences give, wherever it stands in a rule's options. */
function messagesIn(options: unknown): string[] {
  if (typeof options !== 'object' || options === null) return [];
  const own = 'message' in options && typeof options.message === 'string' ? [options.message] : [];
  return [...own, ...Object.values(options).flatMap(messagesIn)];
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

  it.each([...new Set(messagesIn(fences))])('has a fixture that is told: %s', (reason) => {
    expect(complaints.flat().some(({ message }) => message.includes(reason))).toBe(true);
  });

  it('has a fixture for every layer that a project belongs to', () => {
    const refused = complaints
      .flat()
      .map(({ message }) => message)
      .join('\n');
    // There is no dashboard yet.
    const tags = layers.map(({ sourceTag }) => sourceTag).filter((tag) => tag !== 'scope:dashboard');
    expect(tags.filter((tag) => !refused.includes(`tagged with "${tag}"`))).toEqual([]);
  });
});
