/** What happens to an item that does not fit: it is refused, or the oldest items make room for it. */
export type OverflowPolicy = 'refuse' | 'dropOldest';

export interface BoundedQueueOptions<T> {
  /** Most weight held at any time. */
  readonly limit: number;
  readonly policy: OverflowPolicy;
  /** Weight of one item, such as its bytes. Every item weighs 1 unless told. */
  readonly weigh?: (item: T) => number;
}

export type PushOutcome<T> = { readonly accepted: boolean; readonly dropped: readonly T[] };

/** First in, first out, never above its limit, and never silent about what the limit cost. */
export class BoundedQueue<T> {
  private items: { item: T; weight: number }[] = [];
  private head = 0;
  private heldWeight = 0;
  private waiters: (() => void)[] = [];

  constructor(private readonly options: BoundedQueueOptions<T>) {}

  get size(): number {
    return this.items.length - this.head;
  }

  /** Sum of the weights held. */
  get weight(): number {
    return this.heldWeight;
  }

  /**
   * Adds an item. Under `refuse`, an item that does not fit is not accepted. Under `dropOldest`, older items are dropped
   * and returned so that the caller can count or report them; only an item heavier than the whole limit is refused.
   */
  push(item: T): PushOutcome<T> {
    const weight = this.options.weigh?.(item) ?? 1;
    const isTooHeavy = weight > this.options.limit;
    const isFull = this.heldWeight + weight > this.options.limit;
    if (isTooHeavy || (isFull && this.options.policy === 'refuse')) return { accepted: false, dropped: [] };
    const dropped: T[] = [];
    while (this.heldWeight + weight > this.options.limit) dropped.push(...this.shiftMany(1));
    this.items.push({ item, weight });
    this.heldWeight += weight;
    this.announce();
    return { accepted: true, dropped };
  }

  /** Takes the oldest item, or `undefined` when there is none. */
  shift(): T | undefined {
    return this.shiftMany(1)[0];
  }

  /** Takes up to `count` of the oldest items. */
  shiftMany(count: number): T[] {
    const taken: T[] = [];
    while (taken.length < count) {
      const entry = this.items[this.head];
      if (!entry) break;
      this.head += 1;
      this.heldWeight -= entry.weight;
      taken.push(entry.item);
    }
    // Cutting the array only now and then keeps taking at constant cost.
    if (this.head > 1_024 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return taken;
  }

  /** Resolves as soon as there is an item. Rejects with the signal's reason when it aborts first. */
  available(signal?: AbortSignal): Promise<void> {
    if (this.size > 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        this.waiters = this.waiters.filter((waiter) => waiter !== onItem);
        reject(signal?.reason);
      };
      const onItem = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.waiters.push(onItem);
    });
  }

  private announce(): void {
    const waiters = this.waiters;
    this.waiters = [];
    for (const waiter of waiters) waiter();
  }
}
