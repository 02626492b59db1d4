/** Chance that can be repeated from a seed. */
export class Chance {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed, 2_654_435_761) >>> 0;
  }

  /** 0 inclusive to 1 exclusive. */
  next(): number {
    // An xorshift of 32 bits; zero is its only fixed point.
    this.state ^= (this.state << 13) | 0;
    this.state ^= this.state >>> 17;
    this.state ^= (this.state << 5) | 0;
    if (this.state === 0) this.state = 1;
    return (this.state >>> 0) / 4_294_967_296;
  }

  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  isTrue(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.whole(0, items.length - 1)];
    if (item === undefined) throw new Error('Nothing to pick from.');
    return item;
  }
}
