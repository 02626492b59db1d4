import { availableParallelism, loadavg } from 'node:os';
import type { FaultKind } from './plan.js';

/** One fault that fell. Times are wall-clock milliseconds, to be held against the database's. */
export interface Struck {
  readonly number: number;
  readonly kind: FaultKind;
  readonly victim: string;
  readonly workers: readonly string[];
  readonly fromMs: number;
  /** Null while it lasts. */
  untilMs: number | null;
  what: string;
}

/** What was done to whom and when. */
export class Timeline {
  readonly struck: Struck[] = [];
  /** Tries that came to nothing (a crash point nobody passed), and yet ended a program. */
  readonly disturbed: Struck[] = [];
  /** The most that was asked of the machine: programs that wanted to run, for each processor. */
  loadMax = 0;

  noteLoad(): void {
    this.loadMax = Math.max(this.loadMax, (loadavg()[0] ?? 0) / availableParallelism());
  }

  /** Faults on this worker's jobs between these moments, the aftermath included. */
  around(worker: string, fromMs: number, untilMs: number, aftermathMs: number): readonly Struck[] {
    return [...this.struck, ...this.disturbed].filter(
      (fault) =>
        fault.workers.includes(worker) &&
        fault.fromMs <= untilMs &&
        (fault.untilMs ?? Infinity) + aftermathMs >= fromMs,
    );
  }

  count(kind: FaultKind): number {
    return this.struck.filter((fault) => fault.kind === kind).length;
  }

  toText(from = -Infinity, until = Infinity): string {
    return [...this.struck, ...this.disturbed]
      .sort((a, b) => a.fromMs - b.fromMs)
      .filter((fault) => fault.fromMs <= until && (fault.untilMs ?? Infinity) >= from)
      .map(lineOf)
      .join('\n');
  }
}

function lineOf({ number, kind, victim, fromMs, untilMs, what }: Struck): string {
  const at = new Date(fromMs).toISOString().slice(11, 23);
  const until = untilMs === null ? 'on and on' : new Date(untilMs).toISOString().slice(11, 23);
  return `#${number} ${at} – ${until} ${kind} · ${victim}: ${what}`;
}
