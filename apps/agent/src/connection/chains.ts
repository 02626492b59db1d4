/** Work in order: of one key one after the other, different keys do not wait for each other. */
export class Chains<Key> {
  private readonly ends = new Map<Key, Promise<void>>();

  /** `work` must not reject. Resolves when it is done. */
  run(key: Key, work: () => Promise<void>): Promise<void> {
    const end = (this.ends.get(key) ?? Promise.resolve()).then(work);
    this.ends.set(key, end);
    void end.then(() => {
      if (this.ends.get(key) === end) this.ends.delete(key);
    });
    return end;
  }

  /** True while something of this key is under way or waits. */
  isBusy(key: Key): boolean {
    return this.ends.has(key);
  }

  /** Resolves when everything ordered so far of this key is done. */
  async whenDone(key: Key): Promise<void> {
    await this.ends.get(key);
  }

  /** Resolves when everything ordered so far is done. */
  async allSettled(): Promise<void> {
    await Promise.all(this.ends.values());
  }
}
