import type { ContainedTree } from '../containment/containment.js';
import type { FileLane } from '../supervisor/file-lane.js';
import type { ExecutionId, ExecutionLogger } from './execution-types.js';

export interface QuarantineOptions {
  readonly lane: FileLane;
  readonly log: ExecutionLogger;
  /** One less is held. */
  readonly released: () => void;
}

interface Held {
  readonly tree: ContainedTree;
  /** What was put off until nobody is left. */
  putOff: (() => Promise<void>) | null;
}

/** Slots of executions that have ended but for processes that could not be killed: not free until nobody is left. */
export class Quarantine {
  private readonly held = new Map<ExecutionId, Held>();

  constructor(private readonly options: QuarantineOptions) {}

  get size(): number {
    return this.held.size;
  }

  hold(executionId: ExecutionId, tree: ContainedTree): void {
    this.held.set(executionId, { tree, putOff: null });
    this.options.log.warn({ executionId }, 'slot quarantined: processes could not be killed');
  }

  /**
   * Removes the directory of an execution, but not while its processes live: by the directory a later agent knows that it
   * has to keep the slot.
   */
  async remove(executionId: ExecutionId, remove: () => Promise<void>): Promise<void> {
    const held = this.held.get(executionId);
    if (held) held.putOff = remove;
    else await remove();
  }

  /** Lets go of those whose processes have gone after all. */
  async look(): Promise<void> {
    for (const [executionId, { tree, putOff }] of this.held) {
      if (!(await tree.look()).isEmpty) continue;
      await this.options.lane.run(tree.cleanup());
      this.held.delete(executionId);
      this.options.log.info({ executionId }, 'slot out of quarantine: its processes are gone');
      this.options.released();
      await putOff?.();
    }
  }
}
