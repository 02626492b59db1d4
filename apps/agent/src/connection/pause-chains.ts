import type { AttemptId } from '@muster/protocol';
import type { ExecutionId, ExecutionManager } from '../execution/execution-types.js';
import { Chains } from './chains.js';

export type PauseOrder = 'freeze' | 'thaw';

/**
 * Freezing and thawing in order, beside everything else that is ordered of an execution: a job may take seconds until it
 * stands still, and neither a stop nor a new fence may wait for that.
 */
export class PauseChains {
  private readonly chains = new Chains<AttemptId>();
  private readonly latest = new Map<AttemptId, PauseOrder>();

  constructor(
    private readonly executions: Pick<ExecutionManager, PauseOrder>,
    private readonly failed: (error: unknown, effect: PauseOrder, executionId: AttemptId) => void,
  ) {}

  /** Does nothing while the same was ordered last and is not done: it is said again with every beat. */
  order(effect: PauseOrder, executionId: AttemptId, processId: ExecutionId): void {
    if (this.chains.isBusy(executionId) && this.latest.get(executionId) === effect) return;
    this.latest.set(executionId, effect);
    void this.chains.run(executionId, async () => {
      try {
        await this.executions[effect](processId);
      } catch (error) {
        this.failed(error, effect, executionId);
      }
    });
  }

  /** Resolves when everything ordered so far is done. */
  async allSettled(): Promise<void> {
    await this.chains.allSettled();
  }

  /** Resolves when nothing is ordered of it any more, and forgets it. */
  async forget(executionId: AttemptId): Promise<void> {
    await this.chains.whenDone(executionId);
    this.latest.delete(executionId);
  }
}
