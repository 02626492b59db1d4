import { setTimeout as delay } from 'node:timers/promises';
import type { Site } from './cluster/site.js';
import { FAULTS } from './faults/catalogue.js';
import type { Victim } from './faults/fault.js';
import type { PlannedFault } from './plan.js';
import type { Struck, Timeline } from './timeline.js';

/** So many of the next faults are looked at when the first has nobody to fall on. */
const LOOK_AHEAD = 10;
const NOBODY_MS = 100;
/** Without a victim for that long the run is no chaos any more. A machine at its limit takes a minute to start everything. */
const PATIENCE_MS = 240_000;

/** Lets the faults of a plan fall, several at once, each on a part in which a job runs and that no other fault holds. */
export class Nemesis {
  private readonly held = new Set<string>();
  private readonly falling = new Set<Promise<void>>();
  private readonly waiting: PlannedFault[];
  private readonly errors: unknown[] = [];

  constructor(
    private readonly site: Site,
    plan: readonly PlannedFault[],
    private readonly timeline: Timeline,
    private readonly said: (line: string) => void,
  ) {
    this.waiting = [...plan];
  }

  /** Resolves when every fault fell and was undone. */
  async run(): Promise<void> {
    let idleSinceMs = performance.now();
    while (this.waiting.length > 0 || this.falling.size > 0) {
      if (this.errors.length > 0) throw new AggregateError(this.errors, 'A fault could not be done or undone.');
      if (this.site.deaths.length > 0) return this.settle();
      this.timeline.noteLoad();
      const fault = this.strikeNext();
      if (fault) idleSinceMs = performance.now();
      else if (performance.now() - idleSinceMs > PATIENCE_MS) {
        throw new Error(
          `For ${PATIENCE_MS} ms nothing could be struck; waiting: ${this.waiting.map(({ kind }) => kind).join(' ')}`,
        );
      }
      await delay(fault?.gapMs ?? NOBODY_MS);
    }
    await this.settle();
  }

  private async settle(): Promise<void> {
    await Promise.all(this.falling);
  }

  private strikeNext(): PlannedFault | null {
    for (const fault of this.waiting.slice(0, LOOK_AHEAD)) {
      const free = FAULTS[fault.kind]({ site: this.site, wait: (ms) => delay(ms) }, fault).filter(({ holds }) =>
        holds.every((part) => !this.held.has(part)),
      );
      const victim = free[Math.floor(fault.victim * free.length)];
      if (!victim) continue;
      this.waiting.splice(this.waiting.indexOf(fault), 1);
      const work = this.strike(fault, victim).finally(() => this.falling.delete(work));
      this.falling.add(work);
      return fault;
    }
    return null;
  }

  private async strike(fault: PlannedFault, victim: Victim): Promise<void> {
    for (const part of victim.holds) this.held.add(part);
    const { number, kind } = fault;
    const struck: Struck = {
      number,
      kind,
      victim: victim.name,
      workers: victim.workers,
      fromMs: Date.now(),
      untilMs: null,
      what: 'begun',
    };
    this.timeline.struck.push(struck);
    try {
      const what = await victim.strike((words) => (struck.what = words));
      struck.what = what ?? 'came to nothing';
      if (what === null) this.again(fault, struck);
    } catch (error) {
      this.errors.push(error);
    } finally {
      struck.untilMs = Date.now();
      for (const part of victim.holds) this.held.delete(part);
      this.said(`#${number} ${kind} · ${victim.name}: ${struck.what}`);
    }
  }

  /** It did not fall, so it does not count: it is tried again, and what it disturbed stays on the timeline. */
  private again(fault: PlannedFault, struck: Struck): void {
    this.waiting.push(fault);
    this.timeline.struck.splice(this.timeline.struck.indexOf(struck), 1);
    this.timeline.disturbed.push(struck);
  }
}
