import { countLineEnds } from './line-ends.js';

describe('the line ends in some bytes', () => {
  it.each([0, 1, 2, 15, 16, 17, 200])('are all counted where lines have %i bytes before their end', (length) => {
    const lines = 500;
    expect(countLineEnds(Buffer.from(`${'x'.repeat(length)}\n`.repeat(lines)))).toBe(lines);
    expect(countLineEnds(Buffer.from(`${'x'.repeat(length)}\n`.repeat(lines) + 'rest'))).toBe(lines);
  });

  it('are counted where short lines become long ones', () => {
    expect(countLineEnds(Buffer.from('\n'.repeat(100) + `${'x'.repeat(300)}\n`.repeat(7)))).toBe(107);
    expect(countLineEnds(Buffer.alloc(0))).toBe(0);
  });
});
