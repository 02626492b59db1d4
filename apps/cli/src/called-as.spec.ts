import { asCalled } from './called-as.js';

describe('a command in a sentence', () => {
  it.each([
    ['Start one with `muster up`, or see: muster ps -a', 'Start one with `npx muster up`, or see: npx muster ps -a'],
    ['npx muster up', 'npx muster up'],
    ['data in /var/lib/muster now', 'data in /var/lib/muster now'],
    ['@muster/cli', '@muster/cli'],
    ['Muster is being stopped', 'Muster is being stopped'],
  ])('of %j can be pasted in a clone', (text, expected) => {
    expect(asCalled(text, 'npx muster')).toBe(expected);
  });

  it('stands as it is where the program is installed', () => {
    expect(asCalled('muster ps', 'muster')).toBe('muster ps');
  });
});
