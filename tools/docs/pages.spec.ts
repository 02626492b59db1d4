import { allPages, brokenLink, innerLinks, namedPaths, pathExists, readPage } from './markdown.js';

const pages = allPages();

describe('the documents', () => {
  it('are found', () => {
    expect(pages).toEqual(
      expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/architecture.md', 'examples/README.md']),
    );
  });

  it.each(pages)('%s links only to what is there', (page) => {
    const broken = innerLinks(readPage(page)).map((target) => brokenLink(page, target));
    expect(broken.filter((complaint) => complaint !== undefined)).toEqual([]);
  });

  it.each(pages)('%s names only files that are there', (page) => {
    expect(namedPaths(readPage(page)).filter((named) => !pathExists(named))).toEqual([]);
  });
});

describe('the records of decisions', () => {
  const records = pages.filter((page) => page.startsWith('docs/adr/'));

  it('are numbered, each number once', () => {
    const numbers = records.map((file) => /\/(\d{4})-[a-z0-9-]+\.md$/.exec(file)?.[1] ?? file);
    expect(numbers.every((number) => /^\d{4}$/.test(number))).toBe(true);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it.each(records)('%s says context, decision, consequences and status', (record) => {
    const text = readPage(record);
    expect(text).toMatch(/^Status: (accepted|proposed|superseded by \[.+\]\(.+\))/m);
    for (const heading of ['Context', 'Decision', 'Consequences']) expect(text).toContain(`\n## ${heading}\n`);
  });
});
