import fc from 'fast-check';
import { placeInText, scanJson } from './json-scan.js';
import { checkShape } from './shape-guard.js';

describe('the scan of JSON text', () => {
  it('agrees with JSON.parse about what is JSON', () => {
    const isJson = (text: string): boolean => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    const pieces = ['{', '}', '[', ']', ',', ':', '"a"', '"\\u00e4"', '"\\x"', '1', '-', '0.5e3', '01', 'true', 'nul', ' ', '\n', '"'];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (parts) => {
        const text = parts.join('');
        expect(scanJson(text)?.kind === 'syntax').toBe(!isJson(text));
      }),
      { numRuns: 3_000 },
    );
    fc.assert(fc.property(fc.json({ maxDepth: 5 }), (text) => expect(scanJson(text)).toBeNull()));
  });

  it.each([
    ['', 'Expected a value, got the end of the body', 'line 1, column 1'],
    ['{"a": 1,}', 'Expected a name in double quotes, got "}"', 'line 1, column 9'],
    ['{\n  "a": x\n}', 'Expected a value, got "x"', 'line 2, column 8'],
    ['{"a" 1}', 'Expected `:`, got "1"', 'line 1, column 6'],
    ['[1 2]', 'Expected `,` or the end of the list or object, got "2"', 'line 1, column 4'],
    ['{} {}', 'Expected the end of the text, got "{"', 'line 1, column 4'],
    ['{"a": "b', 'Expected a value, got the end of the body', 'line 1, column 9'],
    ['hello', 'Expected a value, got "h"', 'line 1, column 1'],
  ])('says where %j stops being JSON', (text, detail, place) => {
    const complaint = scanJson(text);
    expect(complaint).toMatchObject({ kind: 'syntax', detail });
    expect(placeInText(text, complaint?.offset ?? -1)).toBe(place);
  });

  it.each([
    ['depth', '['.repeat(500_000) + ']'.repeat(500_000)],
    ['depth in objects', '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000)],
    ['names', `{${Array.from({ length: 100_000 }, (_, index) => `"k${index}":1`).join(',')}}`],
    ['items', `[${'1,'.repeat(100_000)}1]`],
  ])('refuses a megabyte of %s within 20 ms', (_name, text) => {
    const durationsMs = Array.from({ length: 8 }, () => {
      const startedAt = performance.now();
      expect(scanJson(text)?.kind).toBe('shape');
      return performance.now() - startedAt;
    });
    // The best of some: the others measure our neighbours on this machine.
    expect(Math.min(...durationsMs)).toBeLessThan(20);
  });

  it('takes a text of a megabyte', () => {
    expect(scanJson(`{"a":"${'x'.repeat(1_000_000)}"}`)).toBeNull();
  });
});

describe('the shape guard', () => {
  const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

  it.each([
    ['16 levels', nested(16), null],
    ['17 levels', nested(17), `${'/0'.repeat(16)}: Expected at most 16 levels of nesting.`],
    ['100,000 levels', nested(100_000), `${'/0'.repeat(16)}: Expected at most 16 levels of nesting.`],
    ['2,000 names', Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`k${index}`, 1])), null],
    ['2,001 names', Object.fromEntries(Array.from({ length: 2_001 }, (_, index) => [`k${index}`, 1])), ': Expected at most 2000 names in all objects together.'],
    ['100,000 items', new Array(100_000).fill(0), ': Expected at most 20000 items in all lists together.'],
    ['NUL in a text', { run: { command: ['a\0b'] } }, '/run/command/0: Expected text without the character NUL (U+0000).'],
    ['NUL in a name', { env: { 'A\0': '' } }, '/env: Expected text without the character NUL (U+0000).'],
    ['half a surrogate pair', { name: 'x\ud800' }, '/name: Expected well-formed text: half of a surrogate pair stands alone.'],
    ['the other half', { name: '\udc00x' }, '/name: Expected well-formed text: half of a surrogate pair stands alone.'],
    ['a whole surrogate pair', { name: '😀' }, null],
    ['__proto__', JSON.parse('{"a":{"__proto__":{"polluted":1}}}'), '/a: The name `__proto__` is not allowed.'],
    ['constructor', { constructor: { prototype: {} } }, ': The name `constructor` is not allowed.'],
    ['bytes of a log chunk', { bytes: new Uint8Array(65_536) }, null],
    ['a pointer with / and ~', { 'a/b': { 'c~d': '\0' } }, '/a~1b/c~0d: Expected text without the character NUL (U+0000).'],
  ])('judges %s', (_name, value, expected) => {
    const complaint = checkShape(value);
    expect(complaint === null ? null : `${complaint.pointer}: ${complaint.detail}`).toBe(expected);
  });
});
