/** What happened in a run, as far as a promise depends on it; every broken promise is noted where it is broken. */
import type fc from 'fast-check';
import type { Ack, AttemptEnd, AttemptId, BeatAck, EndAck } from '@muster/protocol';
import type { RequestName } from '../../src/connection/server-messages.js';

export class Track {
  readonly violations: string[] = [];
  /** Ends whose answer has arrived: nothing of them is told again. */
  private readonly heard = new Set<AttemptId>();
  /** Attempts of which the control plane said that it wants only their log. */
  private readonly unwanted = new Set<AttemptId>();
  private readonly told = new Map<AttemptId, string>();
  private readonly exited = new Set<AttemptId>();
  private isOver = false;
  readonly counters = new Map<string, number>();

  constructor(private readonly scheduler: fc.Scheduler) {}

  /** Resolves when the scheduler chooses it among everything that could happen now. */
  async step(label: string): Promise<void> {
    await this.scheduler.schedule(Promise.resolve(), label);
  }

  broken(promise: string): void {
    this.violations.push(promise);
  }

  count(what: string): void {
    this.counters.set(what, (this.counters.get(what) ?? 0) + 1);
  }

  /** The agent has ended: from here on it neither says nor does anything. */
  over(): void {
    this.isOver = true;
  }

  ordered(what: string): void {
    if (this.isOver) this.broken(`${what} after the agent ended`);
  }

  ended(attemptId: AttemptId): void {
    if (this.exited.has(attemptId)) this.broken(`${attemptId} exits twice`);
    this.exited.add(attemptId);
  }

  sent(event: RequestName, body: unknown): void {
    this.count(event);
    this.ordered(event);
    if (event !== 'attempt:end') return;
    const end = body as AttemptEnd;
    const { attemptId, epoch: _, ...words } = end;
    if (this.heard.has(attemptId)) this.broken(`the end of ${attemptId} is told after it was heard`);
    const before = this.told.get(attemptId);
    const text = JSON.stringify(words);
    if (before !== undefined && before !== text) this.broken(`the end of ${attemptId} is told in two ways`);
    this.told.set(attemptId, text);
  }

  answered(event: RequestName, body: unknown, answer: Ack<unknown>): void {
    if (!('ok' in answer)) return;
    if (event === 'attempt:end') {
      const { attemptId } = body as AttemptEnd;
      this.heard.add(attemptId);
      this.count((answer.ok as EndAck).kind);
    }
    if (event !== 'worker:beat' && event !== 'worker:hello') return;
    for (const verdict of (answer.ok as BeatAck).verdicts) {
      this.count(verdict.kind);
      if (verdict.kind === 'stop') this.unwanted.add(verdict.ref.attemptId);
    }
  }

  /** True once nobody waits for the end of the process that served these attempts. */
  isSettled(attemptIds: readonly AttemptId[]): boolean {
    return attemptIds.some((attemptId) => this.heard.has(attemptId) || this.unwanted.has(attemptId));
  }
}
