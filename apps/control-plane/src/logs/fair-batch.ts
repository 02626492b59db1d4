export interface FairBatchRules<Item> {
  readonly streamOf: (item: Item) => string;
  readonly sizeOf: (item: Item) => number;
  readonly countMax: number;
  readonly bytesMax: number;
}

/**
 * Which of those that wait go into the next batch, as indexes: the first of each stream, then the second of each, and so on
 * until it is full; at least one. Within a stream the order stays. So a line never waits behind all that another job printed.
 */
export function fairBatch<Item>(waiting: readonly Item[], rules: FairBatchRules<Item>): number[] {
  const { streamOf, sizeOf, countMax, bytesMax } = rules;
  const places = new Map<string, number>();
  const rounds: number[][] = [];
  waiting.forEach((item, index) => {
    const stream = streamOf(item);
    const round = places.get(stream) ?? 0;
    places.set(stream, round + 1);
    (rounds[round] ??= []).push(index);
  });
  const chosen: number[] = [];
  let bytes = 0;
  for (const index of rounds.flat()) {
    bytes += sizeOf(waiting[index] as Item);
    if (chosen.length > 0 && (bytes > bytesMax || chosen.length >= countMax)) break;
    chosen.push(index);
  }
  return chosen;
}
