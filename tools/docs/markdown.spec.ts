import { anchors, blocks, brokenLink, commands, innerLinks, namedPaths, pathExists } from './markdown.js';

describe('what is read from a page', () => {
  it('a link inside a code block is code', () => {
    expect(innerLinks('[a](b.md)\n```sh\n[c](d.md)\n```\n[e](https://example.org)')).toEqual(['b.md']);
  });

  it('a heading is addressed in lower case, without punctuation', () => {
    expect(anchors("# What's new?\n## Is it for me\n")).toEqual(['whats-new', 'is-it-for-me']);
  });

  it('braces in a path stand for each of their choices', () => {
    expect(namedPaths('see `libs/{domain,dto}/src` and `npm test` and `main.ts`')).toEqual([
      'libs/domain/src',
      'libs/dto/src',
    ]);
  });

  it('a link to a missing file or heading is broken, to an existing one it is not', () => {
    expect(brokenLink('docs/architecture.md', 'nowhere.md')).toContain('there is no docs/nowhere.md');
    expect(brokenLink('docs/architecture.md', 'glossary.md#no-such-heading')).toContain('no such heading');
    expect(brokenLink('docs/architecture.md', 'glossary.md#glossary')).toBeUndefined();
  });

  it('a path exists when at least one file answers to it', () => {
    expect(pathExists('docs/adr/0001-*.md')).toBe(true);
    expect(pathExists('libs/<name>/src/index.ts')).toBe(true);
    expect(pathExists('libs/nothing/src')).toBe(false);
  });

  it('commands are the lines of shell blocks without their comments, and those named in the text', () => {
    const page =
      '```sh\nnpm start   # runs it\n\n# only a remark\nnpx muster run \\\n  -- echo hi\n```\n```text\nnot a command\n```\nor `npm run a && npm run b`, not `main.ts`\n';
    expect(commands(page)).toEqual(['npm start', 'npx muster run -- echo hi', 'npm run a', 'npm run b']);
    expect(blocks(page, 'text')).toEqual(['not a command\n']);
  });
});
