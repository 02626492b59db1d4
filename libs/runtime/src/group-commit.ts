import { createSystemClock, type Clock } from './clock.js';

export interface GroupCommitOptions<Item, Result> {
  /** Named in errors. */
  readonly name: string;
  /**
   * Commits a batch and answers one result per item, in the same order. All or nothing: when it throws, nothing of the
   * batch may have been stored.
   */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Most items in one batch. */
  readonly maxBatch: number;
  /**
   * Which of the waiting items form the next batch, as their indexes in the order in which they are to be committed; at least one,
   * each at most once. The first `maxBatch` unless told.
   */
  readonly choose?: (waiting: readonly Item[]) => readonly number[];
  /** Most items waiting; one more is refused with `LaneFull`. 10,000 unless told. */
  readonly maxQueued?: number;
  /**
   * How long to collect once more before a batch that follows another without a pause, in milliseconds: what comes one by
   * one shares commits then. An item that finds the lane idle is never held back. 0 unless told.
   */
  readonly gatherMs?: number;
  /**
   * The least time between the beginnings of two batches, in milliseconds: items that come often wait for one another, one
   * that comes after a pause of that length is never held back, nor is a whole batch. 0 unless told.
   */
  readonly everyMs?: number;
  readonly clock?: Clock;
  /**
   * Whether an error may be the fault of one item, so that trying the items one by one makes sense. Answer false for a
   * lost connection: the whole batch is then refused at once instead of failing item after item. Always true unless told.
   */
  readonly isItemFault?: (error: unknown) => boolean;
}

/** The lane holds as many items as it may. Try again later; nothing of this item was stored. */
export class LaneFull extends Error {
  readonly code = 'laneFull';
  constructor(lane: string, limit: number) {
    super(`Lane ${lane} already holds ${limit} waiting items.`);
    this.name = 'LaneFull';
  }
}

/** The lane was closed before this item was submitted. Nothing of it was stored. */
export class LaneClosed extends Error {
  readonly code = 'laneClosed';
  constructor(lane: string) {
    super(`Lane ${lane} is closed.`);
    this.name = 'LaneClosed';
  }
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Shares one commit among the items that arrive while the previous commit runs. An item that finds the lane idle is
 * committed at once, and the busier the lane, the larger its batches; there is no timer unless `gatherMs` asks for one. Items
 * are committed in the order of submission, unless the owner of the lane chooses another.
 */
export class GroupCommitLane<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private draining: Promise<void> | undefined;
  private isClosed = false;
  private clock: Clock | undefined;
  private begunMs = -Infinity;

  constructor(private readonly options: GroupCommitOptions<Item, Result>) {}

  /** Items submitted and not yet in a running batch. */
  get queued(): number {
    return this.waiting.length;
  }

  /** Resolves with the item's own result once its batch has committed; rejects with the item's own error. */
  submit(item: Item): Promise<Result> {
    const limit = this.options.maxQueued ?? 10_000;
    if (this.isClosed) return Promise.reject(new LaneClosed(this.options.name));
    if (this.waiting.length >= limit) return Promise.reject(new LaneFull(this.options.name, limit));
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      this.draining ??= this.drain();
    });
  }

  /** Resolves when everything submitted so far has been answered. */
  async settled(): Promise<void> {
    while (this.draining) await this.draining;
  }

  /** Refuses new items from now on and resolves when the last one has been answered. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.settled();
  }

  private async drain(): Promise<void> {
    // One turn of the microtask queue lets items submitted in the same breath share the first batch.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      await this.keepPace();
      await this.commit(this.nextBatch());
      await this.gather();
    }
    this.draining = undefined;
  }

  private nextBatch(): Waiting<Item, Result>[] {
    const { choose, maxBatch } = this.options;
    if (!choose) return this.waiting.splice(0, maxBatch);
    const chosen = new Set(choose(this.waiting.map(({ item }) => item)));
    const batch = [...chosen].flatMap((index) => this.waiting[index] ?? []);
    if (batch.length === 0) return this.waiting.splice(0, maxBatch);
    this.waiting = this.waiting.filter((_, index) => !chosen.has(index));
    return batch;
  }

  /** Nothing waits: the lane is idle again. A whole batch waits: more would not go along. */
  private async gather(): Promise<void> {
    const { gatherMs = 0, maxBatch } = this.options;
    const { length } = this.waiting;
    if (gatherMs === 0 || length === 0 || length >= maxBatch) return;
    await this.useClock().sleep(gatherMs);
  }

  private async keepPace(): Promise<void> {
    const { everyMs = 0, maxBatch } = this.options;
    if (everyMs === 0) return;
    const clock = this.useClock();
    const waitMs = this.begunMs + everyMs - clock.monotonicMs();
    if (waitMs > 0 && this.waiting.length < maxBatch) await clock.sleep(waitMs);
    this.begunMs = clock.monotonicMs();
  }

  private useClock(): Clock {
    return (this.clock ??= this.options.clock ?? createSystemClock());
  }

  /** Answers everybody; resolves with an error that is no item's fault, if it was one. */
  private async commit(batch: readonly Waiting<Item, Result>[]): Promise<{ readonly error: unknown } | undefined> {
    try {
      await this.runAndAnswer(batch);
    } catch (error) {
      const isItemFault = this.options.isItemFault?.(error) ?? true;
      if (isItemFault && batch.length > 1) return this.commitEach(batch);
      for (const waiting of batch) waiting.reject(error);
      if (!isItemFault) return { error };
    }
    return undefined;
  }

  /** One by one, until one fails by no fault of its own: the others would, too, and each might wait long for that. */
  private async commitEach(batch: readonly Waiting<Item, Result>[]): Promise<{ readonly error: unknown } | undefined> {
    let failed: { readonly error: unknown } | undefined;
    for (const waiting of batch) {
      if (failed) waiting.reject(failed.error);
      else failed = await this.commit([waiting]);
    }
    return failed;
  }

  private async runAndAnswer(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    const results = await this.options.run(batch.map((waiting) => waiting.item));
    // Not retried: the batch is stored, only its answer is unusable.
    const isWrongLength = results.length !== batch.length;
    const wrongLength = `Lane ${this.options.name} answered ${results.length} results for ${batch.length} items.`;
    batch.forEach((waiting, index) => {
      if (isWrongLength) waiting.reject(new Error(wrongLength));
      else waiting.resolve(results[index] as Result);
    });
  }
}
