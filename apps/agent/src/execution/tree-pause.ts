import type { ContainedTree } from '../containment/containment.js';
import { until } from '../containment/settle-loop.js';
import { standsStill } from '../containment/tree-sample.js';
import { readUptimeSeconds, type ProcessIdentity } from '../supervisor/process-identity.js';
import { descendants } from '../supervisor/process-tree.js';
import type { PauseClock } from './pause-clock.js';

/** How long a job that was just handed to its supervisor is given to have a process that can be stopped. */
const FIRST_PROCESS_MS = 10_000;

export interface TreePauseOptions {
  readonly tree: ContainedTree;
  readonly clock: PauseClock;
  /** The job's own process; null until it has noted who it is. */
  readonly leader: () => ProcessIdentity | null;
  /** The job has ended already, whoever it was. */
  readonly hasEnded: () => boolean;
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

  /**
   * For a tree that no pause is known of: one that stands still as a whole goes on, because nobody would ever continue it.
   * Never rejects.
   */
  async release(): Promise<void> {
    try {
      if (this.looksFrozen()) await this.thaw();
    } catch (error) {
      this.options.failed(error);
    }
  }

  thaw(): Promise<void> {
    return this.inTurn(() => this.letGo());
  }

  private async stopAll(): Promise<boolean> {
    const { tree, clock, leader, hasEnded, isEnding } = this.options;
    // A tree that nobody is in yet would look as if it stood still.
    await until(() => leader() !== null || hasEnded() || isEnding(), FIRST_PROCESS_MS);
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

  /** A frozen cgroup shows in nobody's state; to continue one that is not frozen changes nothing. */
  private looksFrozen(): boolean {
    const { tree, leader } = this.options;
    if (tree.rung === 'cgroup') return true;
    const top = leader()?.pid;
    if (top === undefined) return false;
    const everybody = descendants(top);
    // Whoever makes the namespace, and its init, are never stopped.
    const inside =
      tree.rung === 'group' ? everybody : everybody.filter((one) => ![one.pid, one.parentPid].includes(top));
    return inside.length > 0 && inside.every((one) => standsStill(one, everybody));
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
