import fc from 'fast-check';
import { LineReader } from './lines.js';
import { TerminalFilter } from './terminal-filter.js';

const filter = (...pieces: readonly string[]): string => {
  const it = new TerminalFilter();
  return pieces.map((piece) => Buffer.from(it.push(Buffer.from(piece))).toString()).join('');
};

describe('a log on a terminal', () => {
  it.each([
    ['text, tabs and line ends', 'a\tb\r\nc\n'],
    ['text beyond ASCII', 'grün ███ 学習\n'],
    ['colours', '\u001b[1;31mred\u001b[0m'],
    ['a progress bar', '\r 10%\u001b[K\r 20%\u001b[K\b'],
  ])('shows %s as they are', (_name, text) => {
    expect(filter(text)).toBe(text);
  });

  it.each([
    ['a title', 'a\u001b]0;owned\u0007b'],
    ['the clipboard', 'a\u001b]52;c;ZXZpbA==\u001b\\b'],
    ['a device string', 'a\u001bP1$r0m\u001b\\b'],
    ['a query', 'a\u001b[6nb'],
    ['a cursor jump', 'a\u001b[10;10Hb'],
    ['a cleared screen', 'a\u001b[2Jb'],
    ['a changed mode', 'a\u001b[?1049hb'],
    ['a private colour sequence', 'a\u001b[>4;2mb'],
    ['a full reset', 'a\u001bcb'],
    ['a character set', 'a\u001b(0b'],
    ['a bell', 'a\u0007b'],
  ])('does not let %s through', (_name, text) => {
    expect(filter(text)).toBe('ab');
  });

  it('judges the same wherever the pieces are cut', () => {
    const part = fc.constantFrom(
      'a',
      'ü',
      '\r',
      '\n',
      '\u001b[31m',
      '\u001b[2J',
      '\u001b]0;t\u0007',
      '\u001b[K',
      '\u001bP',
      '\u001b\\',
      '\u001b',
      '[',
      'm',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), fc.nat(60), (parts, cut) => {
        const bytes = Buffer.from(parts.join(''));
        const whole = Buffer.from(new TerminalFilter().push(bytes));
        const cutting = new TerminalFilter();
        const pieces = Buffer.concat([cutting.push(bytes.subarray(0, cut)), cutting.push(bytes.subarray(cut))]);
        expect(pieces.equals(whole)).toBe(true);
        expect(whole.toString()).not.toMatch(/\u001b\[[^mK]*[A-JL-Za-ln-z]|\u001b\]/);
      }),
    );
  });
});

describe('lines of a log', () => {
  const lines = (...pieces: readonly string[]): string[] => {
    const reader = new LineReader();
    return [...pieces.flatMap((piece) => reader.push(Buffer.from(piece))), ...reader.end()];
  };

  it('are cut at line feeds, whatever the pieces, and the last needs none', () => {
    expect(lines('on', 'e\ntwo\n\nth', 'ree')).toEqual(['one', 'two', '', 'three']);
  });

  it('show what is left of a bar that was drawn over and over', () => {
    expect(lines('\r 1%\r 50%\r100%\nnext\r\n')).toEqual(['100%', 'next']);
  });
});
