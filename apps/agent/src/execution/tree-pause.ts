import type { ContainedTree } from '../containment/containment.js';
import { until } from '../containment/settle-loop.js';
import { readUptimeSeconds } from '../supervisor/process-identity.js';
import type { PauseClock } from './pause-clock.js';

/** How long a job that was just handed to its supervisor is given to have a process that can be stopped. */
const FIRST_PROCESS_MS = 10_000;

export interface TreePauseOptions {
  readonly tree: ContainedTree;
  readonly clock: PauseClock;
  /** Somebody is there to be stopped: the job's process has noted who it is, or has ended already. */
  readonly hasProcess: () => boolean;
  /** A stop, or the end, has begun: then nothing is frozen any more, and whatever is frozen is let go. */
  readonly isEnding: () => boolean;
  readonly failed: (error: unknown) => void;
}

/**
 * Freezes and thaws one tree, one turn after the other. The clock's record is written before the first process is stopped
 * and removed after the last one goes on: an agent that died in between leaves a tree that its successor freezes again.
 */
export class TreePause {
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: TreePauseOptions) {}

  /** True when the whole tree stands still; false when it is ending instead. Rejects when it does not come to rest: it goes on then. */
  freeze(): Promise<boolean> {
    return this.inTurn(() => this.stopAll());
  }

  /** For a tree that an earlier agent had frozen, or was about to. False when it goes on, because it did not come to rest. */
  async restore(): Promise<boolean> {
    try {
      await this.freeze();
      return true;
    } catch (error) {
      this.options.failed(error);
      return false;
    }
  }

  thaw(): Promise<void> {
    return this.inTurn(() => this.letGo());
  }

  private async stopAll(): Promise<boolean> {
    const { tree, clock, hasProcess, isEnding } = this.options;
    // A tree that nobody is in yet would look as if it stood still.
    await until(() => hasProcess() || isEnding(), FIRST_PROCESS_MS);
    if (isEnding()) return false;
    await clock.freeze(readUptimeSeconds());
    try {
      await tree.freeze(() => !isEnding());
    } catch (error) {
      await this.letGo();
      throw error;
    }
    if (!isEnding()) return true;
    // The stop signal is heard only by what goes on.
    await this.letGo();
    return false;
  }

  private async letGo(): Promise<void> {
    await this.options.tree.thaw();
    await this.options.clock.thaw(readUptimeSeconds());
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return done;
  }
}
