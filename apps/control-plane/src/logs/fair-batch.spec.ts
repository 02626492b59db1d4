import { fairBatch } from './fair-batch.js';

interface Item { readonly stream: string; readonly size: number }
const choose = (waiting: readonly Item[], countMax = 100, bytesMax = 1_000): Item[] =>
  fairBatch(waiting, { streamOf: ({ stream }) => stream, sizeOf: ({ size }) => size, countMax, bytesMax }).map((index) => waiting[index] as Item);
const of = (stream: string, ...sizes: number[]): Item[] => sizes.map((size) => ({ stream, size }));

describe('a fair batch', () => {
  it('takes the line of one job beside the flood of another', () => {
    const flood = of('a', 400, 401, 402, 403);
    expect(choose([...flood, ...of('b', 1)])).toEqual([...of('a', 400), ...of('b', 1), ...of('a', 401)]);
  });

  it('keeps the order of each stream', () => {
    const chosen = choose([...of('a', 1, 2), ...of('b', 3), ...of('a', 4), ...of('b', 5)]);
    expect(chosen.filter(({ stream }) => stream === 'a')).toEqual(of('a', 1, 2, 4));
    expect(chosen.filter(({ stream }) => stream === 'b')).toEqual(of('b', 3, 5));
  });

  it('never leaves a hole in a stream, however large one of its items is', () => {
    const chosen = choose([...of('a', 900), ...of('b', 900), ...of('a', 1), ...of('b', 1)]);
    expect(chosen).toEqual(of('a', 900));
  });

  it('takes at least one, and no more than may be', () => {
    expect(choose(of('a', 5_000, 1))).toEqual(of('a', 5_000));
    expect(choose(of('a', 1, 2, 3), 2)).toEqual(of('a', 1, 2));
    expect(choose([])).toEqual([]);
  });
});
