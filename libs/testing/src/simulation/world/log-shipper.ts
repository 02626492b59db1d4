/** Sends the bytes of every log by offset, one piece at a time; where it stands it knows only from answers. */
import type { Ack, AttemptId, LogAck } from '@muster/protocol';
import { Violation } from '../invariants/violation.js';
import type { AgentHost } from './agent-host.js';
import type { Directory } from './machine.js';
import type { World } from './world.js';

interface Progress {
  offset: number;
  isWaiting: boolean;
  isDone: boolean;
}

export class LogShipper {
  private isLooping = false;
  private readonly progresses = new Map<AttemptId, Progress>();

  constructor(
    private readonly world: World,
    private readonly host: AgentHost,
  ) {}

  /** Looks for new bytes from now on, while any directory stands on the disk. */
  wake(): void {
    if (this.isLooping) return;
    this.isLooping = true;
    this.loop();
  }

  isDone(executionId: AttemptId): boolean {
    return this.progresses.get(executionId)?.isDone === true;
  }

  forget(executionId: AttemptId): void {
    this.progresses.delete(executionId);
  }

  private loop(): void {
    this.world.after(this.world.random.between(0.5, 1.5) * this.world.settings.shipEveryMs, () => {
      if (!this.host.isAlive) return;
      if (this.host.isTalking) for (const directory of this.host.machine.disk.values()) this.ship(directory);
      if (this.host.machine.disk.size > 0) this.loop();
      else this.isLooping = false;
    });
  }

  private ship(directory: Directory): void {
    const { process, intent } = directory;
    if (process === null) return;
    const progress = this.progresses.get(intent.executionId) ?? { offset: 0, isWaiting: false, isDone: false };
    this.progresses.set(intent.executionId, progress);
    if (progress.isWaiting || progress.isDone) return;
    const produced = process.producedBytes(this.world.nowMs);
    if (progress.offset < produced) this.send(directory, progress, Math.min(65_536, produced - progress.offset));
    else if (process.endedMs !== null && directory.end !== null) {
      progress.isDone = true;
      this.host.post({ type: 'logDone', executionId: intent.executionId });
    }
  }

  private send(directory: Directory, progress: Progress, rawLength: number): void {
    progress.isWaiting = true;
    let isFirst = true;
    const body = { ...directory.ref, offset: progress.offset, rawLength };
    this.host.ask({ kind: 'log', body }, (_sentMs, answer: Ack<LogAck> | 'timeout') => {
      const goesOn = isFirst && this.host.isTalking;
      isFirst = false;
      progress.isWaiting = false;
      if (answer === 'timeout' || 'error' in answer) return;
      if ('gone' in answer.ok) throw new Violation('I6 log', `${directory.intent.executionId}: the server does not know it`);
      if ('storedLength' in answer.ok) progress.offset = Math.max(progress.offset, answer.ok.storedLength);
      // What a living process prints meanwhile waits for the next round.
      if (goesOn && directory.end !== null) this.ship(directory);
    });
  }
}
