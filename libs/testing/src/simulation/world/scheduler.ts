/** Virtual time: a binary heap of what happens when. Things due at the same moment happen in the order they were planned. */
interface Planned {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** More than any schedule needs: then something goes round in circles without time passing. */
const EVENTS_MAX = 500_000;

export class Scheduler {
  nowMs = 0;
  /** Events that have happened. */
  eventCount = 0;
  /** A digest of when they happened and in which order: two runs of one schedule agree in it, or something was left to chance. */
  hash = 0x811c9dc5;
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
      this.eventCount += 1;
      if (this.eventCount > EVENTS_MAX) throw new Error(`More than ${EVENTS_MAX} events, and no end.`);
      this.hash = Math.imul(this.hash ^ next.order ^ Math.floor(next.atMs * 1_000), 0x01000193);
      next.run();
    }
    if (!isEnough()) this.nowMs = Math.max(this.nowMs, endMs);
  }

  private push(one: Planned): void {
    const { heap } = this;
    let index = heap.length;
    heap.push(one);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(one, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = one;
  }

  /** The last one sinks from the top into the hole that the first one left. */
  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    const count = heap.length;
    if (last === undefined || count === 0) return;
    let index = 0;
    for (let below = 1; below < count; below = 2 * index + 1) {
      let child = heap[below];
      const right = below + 1 < count ? heap[below + 1] : undefined;
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        child = right;
        below += 1;
      }
      if (child === undefined || !isBefore(child, last)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
  }
}

function isBefore(a: Planned, b: Planned): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
