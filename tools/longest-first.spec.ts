import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LONGEST, longestFirst } from './lib/longest-first.mjs';
import { ROOT } from './lib/root.mjs';

describe('the order of all tests', () => {
  it('names only test files that are there', () => {
    expect(LONGEST.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  });

  it('begins with the longest, and leaves all others as they were', () => {
    const [longest = '', , , fourth = ''] = LONGEST;
    const paths = ['libs/b.spec.ts', fourth, 'libs/a.spec.ts', longest].map((name) => join(ROOT, name));
    const sorted = longestFirst(paths.map((path) => ({ path }))).map(({ path }) => path);
    expect(sorted).toEqual([longest, fourth, 'libs/b.spec.ts', 'libs/a.spec.ts'].map((name) => join(ROOT, name)));
  });
});
