/** Progress of all jobs together is told at most this often: it may be lost, and must not crowd out what may not. */
const PER_SECOND = 25;

/** Lets `PER_SECOND` messages through in any second; whoever is refused asks again at its next look. */
export class ProgressBudget {
  private readonly spentAtMs: number[] = [];

  take(nowMs: number): boolean {
    if (this.spentAtMs.length === PER_SECOND) {
      const oldestMs = this.spentAtMs[0] ?? 0;
      if (nowMs - oldestMs < 1_000) return false;
      this.spentAtMs.shift();
    }
    this.spentAtMs.push(nowMs);
    return true;
  }
}
