import type { ExecutionManager } from '../execution/execution-types.js';
import type { RunningPart } from './inventory-reader.js';

/** What the samples need to know of the part that runs processes. */
export function runningPartOf(executions: Pick<ExecutionManager, 'list' | 'paths' | 'slots'>): RunningPart {
  return {
    running: () =>
      executions
        .list()
        .filter(({ phase }) => phase === 'running' || phase === 'paused')
        .map(({ executionId, ref }) => ({
          attemptId: ref.attemptId,
          directory: executions.paths(executionId).directory,
        })),
    slotsQuarantined: () => executions.slots().quarantined,
    runtimeProblem: () => executions.slots().problem ?? null,
  };
}
