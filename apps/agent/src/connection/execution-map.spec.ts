import { neverRan, toEndReport } from './execution-map.js';

const end = { ...neverRan('spawnFailed', '', 'group'), detail: null };

describe('the detail of an end', () => {
  it('is cut between characters, never through one', () => {
    const { detail } = toEndReport({ ...end, detail: `${'a'.repeat(999)}🙂🙂` }, {});
    expect(detail).toBe(`${'a'.repeat(999)}🙂`);
  });

  it('holds neither halves of characters nor NUL, also where nothing ran', () => {
    const odd = 'a\0b\ud800c';
    const { detail } = neverRan('spawnFailed', odd, 'group');
    expect(detail).toBe('a\ufffdb\ufffdc');
    expect(toEndReport({ ...end, detail: odd }, {}).detail).toBe(detail);
  });

  it('stays absent where there is none', () => {
    expect(toEndReport(end, {}).detail).toBeNull();
  });
});
