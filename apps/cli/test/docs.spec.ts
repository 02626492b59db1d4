import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { EXIT } from '../src/exit-codes.js';
import { renderDocs } from './render-docs.js';

const path = resolve(import.meta.dirname, '../../../docs/cli.md');
const introduction = readFileSync(resolve(import.meta.dirname, 'cli-introduction.md'), 'utf8');

describe('docs/cli.md', () => {
  it('says what the commands say of themselves (UPDATE_DOCS=1 writes it anew)', async () => {
    const expected = await renderDocs(introduction);
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path, expected);
    expect(readFileSync(path, 'utf8')).toBe(expected);
  });

  it('names every exit code', () => {
    for (const code of Object.values(EXIT)) expect(introduction).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
  });
});
