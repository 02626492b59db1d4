/** Virtual time: a binary heap of what happens when. Things due at the same moment happen in the order they were planned. */
interface Planned {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export class Scheduler {
  nowMs = 0;
  private readonly heap: Planned[] = [];
  private planned = 0;

  after(delayMs: number, run: () => void): void {
    this.push({ atMs: this.nowMs + Math.max(0, delayMs), order: this.planned++, run });
  }

  /** Runs what is planned up to and including this moment, or until `isEnough` says so. */
  runUntil(endMs: number, isEnough: () => boolean = () => false): void {
    for (let next = this.heap[0]; next !== undefined && next.atMs <= endMs && !isEnough(); next = this.heap[0]) {
      this.pop();
      this.nowMs = next.atMs;
      next.run();
    }
    if (!isEnough()) this.nowMs = Math.max(this.nowMs, endMs);
  }

  private push(one: Planned): void {
    this.heap.push(one);
    let index = this.heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.isBefore(index, parent)) return;
      this.swap(index, parent);
      index = parent;
    }
  }

  private pop(): void {
    const last = this.heap.pop();
    if (last === undefined || this.heap.length === 0) return;
    this.heap[0] = last;
    for (let index = 0; ; ) {
      const [left, right] = [2 * index + 1, 2 * index + 2];
      let first = index;
      if (left < this.heap.length && this.isBefore(left, first)) first = left;
      if (right < this.heap.length && this.isBefore(right, first)) first = right;
      if (first === index) return;
      this.swap(index, first);
      index = first;
    }
  }

  private isBefore(left: number, right: number): boolean {
    const [a, b] = [this.heap[left], this.heap[right]];
    if (a === undefined || b === undefined) return false;
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  }

  private swap(left: number, right: number): void {
    const [a, b] = [this.heap[left], this.heap[right]];
    if (a === undefined || b === undefined) return;
    this.heap[left] = b;
    this.heap[right] = a;
  }
}
