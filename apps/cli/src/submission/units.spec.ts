import { InvalidArgumentError } from 'commander';
import { intoMap, toBytes, toCount, toMegabytes, toPattern, toSeconds, toWhole, toWholeSeconds } from './units.js';

describe('words on the command line', () => {
  it.each([
    ['90', 90],
    ['90s', 90],
    ['5m', 300],
    ['2h', 7_200],
    ['2h30m', 9_000],
    ['7d', 604_800],
    ['1.5h', 5_400],
    ['250ms', 0.25],
    ['0', 0],
  ])('%s is %d seconds', (text, seconds) => {
    expect(toSeconds(text)).toBe(seconds);
  });

  it.each(['', 'soon', '5 m', '-1s', '5x', 'm5', '1e3', '5m!', '2hours'])('%j is no time', (text) => {
    expect(() => toSeconds(text)).toThrow(InvalidArgumentError);
  });

  it('a limit below one second is refused, because the wire counts whole seconds', () => {
    expect(() => toWholeSeconds('100ms')).toThrow('at least one second');
  });

  it.each([
    ['8000', 8_000],
    ['8G', 7_629],
    ['8Gi', 8_192],
    ['512Mi', 512],
    ['512MiB', 512],
    ['1k', 1],
  ])('%s is %d MB', (text, megabytes) => {
    expect(toMegabytes(text)).toBe(megabytes);
  });

  it.each(['', 'much', '-1G', '8X', 'G'])('%j is no size', (text) => {
    expect(() => toMegabytes(text)).toThrow(InvalidArgumentError);
  });

  it('a size without a unit is bytes where bytes are meant', () => {
    expect([toBytes('65536'), toBytes('1Mi')]).toEqual([65_536, 1_048_576]);
  });

  it('a value may hold the sign that parts it from its name', () => {
    expect(intoMap('A=b=c', intoMap('EMPTY='))).toEqual({ EMPTY: '', A: 'b=c' });
    expect(() => intoMap('A')).toThrow('NAME=value');
    expect(() => intoMap('=b')).toThrow('NAME=value');
  });

  it('numbers are whole, and counts not negative', () => {
    expect([toWhole('-5'), toWhole('+5'), toCount('0')]).toEqual([-5, 5, 0]);
    for (const text of ['1.5', '', 'x', '1e3']) expect(() => toWhole(text)).toThrow('whole number');
    expect(() => toCount('-1')).toThrow('below 0');
  });

  it('a pattern that is none is refused by its fault', () => {
    expect(() => toPattern('(')).toThrow('Invalid regular expression');
  });
});
