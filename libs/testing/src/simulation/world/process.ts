/** A process that knows nothing of agents. It runs, stands still while it is frozen, prints as it runs, and ends. */
import type { AttemptId, JobId } from '@muster/protocol';

/** Longer than any schedule. */
export const ENDLESS_MS = 1e9;

/** What a job does when it runs; the same at every try. */
export interface JobPlan {
  /** Time it needs, not counting what it stands still; `ENDLESS_MS`: it runs until somebody stops it. */
  readonly runMs: number;
  readonly exitCode: number;
  readonly bytesPerSecond: number;
  readonly ignoresStop: boolean;
  readonly failsToSpawn: boolean;
  /** Limit of its running time; null: none. Longer than it needs, so only a wrong clock reaches it. */
  readonly limitMs: number | null;
}

export class Process {
  endedMs: number | null = null;
  /** It came to its own end. */
  hasFinished = false;
  private frozenSinceMs: number | null = null;
  private frozenMs = 0;

  constructor(
    readonly jobId: JobId,
    readonly executionId: AttemptId,
    readonly gpus: readonly number[],
    readonly plan: JobPlan,
    readonly beganMs: number,
  ) {}

  get isFrozen(): boolean {
    return this.frozenSinceMs !== null && this.endedMs === null;
  }

  freeze(nowMs: number): void {
    this.frozenSinceMs ??= nowMs;
  }

  thaw(nowMs: number): void {
    if (this.frozenSinceMs === null) return;
    this.frozenMs += nowMs - this.frozenSinceMs;
    this.frozenSinceMs = null;
  }

  end(nowMs: number): void {
    this.thaw(nowMs);
    this.endedMs = nowMs;
  }

  /** How long it has run, without the time it stood still. */
  ranMs(nowMs: number): number {
    const untilMs = this.endedMs ?? nowMs;
    return untilMs - this.beganMs - this.frozenMs - (this.frozenSinceMs === null ? 0 : untilMs - this.frozenSinceMs);
  }

  wallMs(nowMs: number): number {
    return (this.endedMs ?? nowMs) - this.beganMs;
  }

  producedBytes(nowMs: number): number {
    return Math.floor((this.ranMs(nowMs) * this.plan.bytesPerSecond) / 1_000);
  }
}
