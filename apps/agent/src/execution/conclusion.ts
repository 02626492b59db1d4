import type { ContainedTree } from '../containment/containment.js';
import { isDerivable, toEnd, writeEnd } from './end-record.js';
import { CannotStart, type HookFacts } from './execution-hook.js';
import type { ExecutionHost } from './execution-host.js';
import type { ExecutionEnd } from './execution-types.js';
import { cleanupAll, exitedAll } from './hook-chain.js';
import { endOfFailedStart, endOfLateStart, endOfStoppedStart } from './never-ran.js';
import type { RunClock } from './run-clock.js';
import type { UsageMeter } from './usage.js';
import { toStopReason, type StopRecord } from './stop-record.js';

/** Nobody is left who could have seen how the main process ended. */
export type Lost = 'supervisorDied' | 'reboot';

export interface ConclusionOptions {
  readonly host: ExecutionHost;
  /** Of now: the attempt it serves may change. */
  readonly facts: () => HookFacts;
  readonly tree: ContainedTree;
  readonly clock: RunClock;
  readonly meter: UsageMeter;
  readonly stop: () => StopRecord | null;
  /** Processes that outlived the main one, as far as this agent saw. */
  readonly leftovers: () => number;
  /** Told once, with the end on disk; `isUnkillable` when somebody of the tree is there still. */
  readonly reached: (end: ExecutionEnd, isUnkillable: boolean) => void;
}

interface How {
  readonly isUnkillable?: boolean;
  /** It was read from there, or a later agent would put the same together again: so a full disk costs only the usage. */
  readonly isOnDisk?: boolean;
}

/** The end of one execution: put together once, written down where nobody else could, told, and cleaned up after. */
export class Conclusion {
  /** Resolves when the hooks have cleaned up; they begin when the end is told. */
  cleanedUp: Promise<void> = Promise.resolve();
  private known: ExecutionEnd | null = null;

  constructor(private readonly options: ConclusionOptions) {}

  /** Null until it has ended. */
  get end(): ExecutionEnd | null {
    return this.known;
  }

  /** Nobody of the tree is left, or some could not be killed. */
  async ofTree(isUnkillable: boolean, lost: Lost | null): Promise<void> {
    const { host, facts, tree, clock, meter, stop, leftovers } = this.options;
    const { directory, intent } = facts();
    meter.add(tree.usage());
    const part = await exitedAll(host.hooks, facts(), host.log);
    const end = toEnd({
      directory,
      stop: stop(),
      lost,
      isUnkillable,
      rung: intent.rung,
      signalKnown: host.signalKnown,
      outOfMemory: tree.wasOutOfMemory(),
      leftovers: leftovers(),
      startedAtSeconds: clock.startedAtSeconds(),
      part,
      meter,
    });
    await this.reach(end, { isUnkillable, isOnDisk: isDerivable(end) });
  }

  async ofFailedStart(error: unknown): Promise<void> {
    const { host, facts } = this.options;
    const { directory, intent } = facts();
    if (!(error instanceof CannotStart))
      host.log.warn({ directory: directory.path, error }, 'an execution could not be prepared');
    await this.reach(endOfFailedStart(error, intent.rung));
  }

  ofStoppedStart(): Promise<void> {
    const { facts, stop } = this.options;
    return this.reach(endOfStoppedStart(toStopReason(stop()), facts().intent.rung));
  }

  ofLateStart(): Promise<void> {
    return this.reach(endOfLateStart(this.options.facts().intent.rung));
  }

  /** The first end holds. */
  async reach(end: ExecutionEnd, { isUnkillable = false, isOnDisk = false }: How = {}): Promise<void> {
    if (this.known) return;
    this.known = end;
    const { host, facts, reached } = this.options;
    const { directory } = facts();
    if (!isOnDisk) {
      await writeEnd(directory, end).catch((error: unknown) => {
        host.log.warn({ directory: directory.path, error }, 'the end of an execution could not be written down');
      });
    }
    host.crashAt('afterExitRecorded');
    this.cleanUp();
    reached(end, isUnkillable);
  }

  /** Gives back what was made for it; for one that ends without an end, too. */
  cleanUp(): void {
    this.cleanedUp = cleanupAll(this.options.host, this.options.facts());
  }
}
