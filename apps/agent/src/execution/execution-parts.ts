import type { ContainedTree } from '../containment/containment.js';
import { Conclusion, type ConclusionOptions } from './conclusion.js';
import type { HookFacts } from './execution-hook.js';
import type { ExecutionHost } from './execution-host.js';
import type { ExecutionId } from './execution-types.js';
import { RunClock } from './run-clock.js';
import { RunWatch } from './run-watch.js';
import { toSignal } from './stop-record.js';
import { TreeEnding } from './tree-ending.js';
import { TreePause } from './tree-pause.js';

/** What the parts of an execution ask of it. */
export interface ExecutionWhole extends Pick<ConclusionOptions, 'facts' | 'stop' | 'reached'> {
  readonly id: ExecutionId;
  /** False when an earlier agent started it. */
  readonly startedHere: boolean;
  /** Its processes are gone, or could not be killed. */
  settled(isUnkillable: boolean): Promise<void>;
}

/** Each looks after one side of an execution; which of them acts, and when, is the execution's. */
export interface ExecutionParts {
  readonly tree: ContainedTree;
  readonly clock: RunClock;
  readonly looks: RunWatch;
  readonly ending: TreeEnding;
  readonly pause: TreePause;
  readonly conclusion: Conclusion;
}

export function partsOf(whole: ExecutionWhole, { directory, intent }: HookFacts, host: ExecutionHost): ExecutionParts {
  const clock = new RunClock(directory);
  const containment = host.rungs[intent.rung] ?? host.fallbackRung;
  const { cgroupPath, spec } = intent;
  const { startedHere } = whole;
  const tree = containment.tree({ directory, cgroupPath, startedHere, leader: () => clock.leader() });
  const looks = new RunWatch({ directory, spec, tree, clock, hardLimits: host.hardLimits });
  const failed = (what: string) => (error: unknown) => host.log.warn({ executionId: whole.id, error }, what);
  const ending = new TreeEnding({
    tree,
    isInherited: !startedHere,
    monotonicMs: () => host.clock.monotonicMs(),
    stopSignal: toSignal(spec.stopSignal),
    isFrozen: () => clock.pauses.isFrozen,
    settled: (how) =>
      void whole.settled(how === 'unkillable').catch((error: unknown) => host.fail(whole.id, error)),
    failed: failed('a step of the stop ladder failed'),
  });
  const pause = new TreePause({
    tree,
    clock: clock.pauses,
    leader: () => clock.leader(),
    hasEnded: () => directory.readStatus() !== null,
    isEnding: () => ending.hasBegun,
    failed: failed('what an earlier agent had paused, or not, could not be restored'),
  });
  const { facts, stop, reached } = whole;
  const { meter } = looks;
  const conclusion = new Conclusion({ host, facts, tree, clock, meter, stop, reached, leftovers: () => ending.leftovers });
  return { tree, clock, looks, ending, pause, conclusion };
}
