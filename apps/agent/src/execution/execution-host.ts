import type { Clock } from '@muster/runtime';
import type { ContainmentRung } from '@muster/protocol';
import type { ContainedTree, Containment } from '../containment/containment.js';
import type { CrashAt } from '../supervisor/crash-points.js';
import type { StartOrder } from '../supervisor/slot-pool.js';
import type { FileLane } from '../supervisor/file-lane.js';
import type { Tools } from '../supervisor/start-probe.js';
import type { ExecutionHook } from './execution-hook.js';
import type { ExecutionEnd, ExecutionId, ExecutionLogger, ExecutionView } from './execution-types.js';

/** What an execution may ask of the manager that holds it. */
export interface ExecutionHost {
  readonly lane: FileLane;
  /** A thread of its own for what jobs leave behind: a tree of a million files takes minutes, and no start may wait for it. */
  readonly removals: FileLane;
  readonly hooks: readonly ExecutionHook[];
  readonly rungs: Readonly<Partial<Record<ContainmentRung, Containment>>>;
  /** For executions of an earlier agent that had a rung this one lost. */
  readonly fallbackRung: Containment;
  readonly hardLimits: ReadonlySet<'memory' | 'cpu'>;
  readonly tools: Tools;
  /** Given to every job; wins over its own variables. */
  readonly jobEnvironment: Readonly<Record<string, string>>;
  readonly signalKnown: boolean;
  readonly clock: Clock;
  readonly log: ExecutionLogger;
  readonly crashAt: CrashAt;
  /** Gives it to a supervisor, at once or when one is there again. */
  supervise(executionId: ExecutionId, how: StartOrder): void;
  /** Takes it back while no supervisor has heard of it. */
  takeBack(executionId: ExecutionId): boolean;
  ensureWarden(): Promise<void>;
  announce(event: 'running' | 'paused' | 'resumed', view: ExecutionView): void;
  /** Its end is on disk. `tree` is given when somebody could not be killed: then the slot stays taken until it is empty. */
  exited(
    executionId: ExecutionId,
    tree: ContainedTree | null,
    view: ExecutionView & { readonly end: ExecutionEnd },
  ): void;
  whenExited(executionId: ExecutionId, listener: () => void): void;
  /** Something that cannot happen did; the execution is kept as it is for the next start of the agent. */
  fail(executionId: ExecutionId, error: unknown): void;
}
