import { wantsColour, type ColourFacts } from './output.js';

const facts: ColourFacts = {
  isTerminal: true,
  isRefused: false,
  noColor: undefined,
  forceColor: undefined,
  term: 'xterm',
};

describe('colour', () => {
  it.each([
    ['a terminal gets it', {}, true],
    ['a pipe does not', { isTerminal: false }, false],
    ['NO_COLOR takes it away', { noColor: '1' }, false],
    ['an empty NO_COLOR counts as absent', { noColor: '' }, true],
    ['a dumb terminal gets none', { term: 'dumb' }, false],
    ['FORCE_COLOR gives it to a pipe', { isTerminal: false, forceColor: '1' }, true],
    ['FORCE_COLOR wins over NO_COLOR', { noColor: '1', forceColor: '1' }, true],
    ['FORCE_COLOR=0 takes it away', { forceColor: '0' }, false],
    ['--no-color wins over everything', { isRefused: true, forceColor: '1' }, false],
  ])('%s', (_title, more, expected) => {
    expect(wantsColour({ ...facts, ...more })).toBe(expected);
  });
});
