import { setTimeout as sleep } from 'node:timers/promises';

/** What goes on beside its owner: work that is waited for at the end, and work for later that is not begun after it. */
export class PendingWork {
  private readonly underWay = new Set<Promise<void>>();
  private readonly timers = new Set<NodeJS.Timeout>();

  follow(work: Promise<void>): void {
    this.underWay.add(work);
    void work.finally(() => this.underWay.delete(work));
  }

  later(afterMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, afterMs);
    this.timers.add(timer);
  }

  /** Nothing for later is begun any more. */
  cancel(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }

  /** Resolves when all work has ended, that which came meanwhile too, or the time is over. */
  async settle(withinMs: number): Promise<void> {
    const ended = (async () => {
      while (this.underWay.size > 0) await Promise.all(this.underWay);
    })();
    await Promise.race([ended, sleep(withinMs, undefined, { ref: false })]);
  }
}
