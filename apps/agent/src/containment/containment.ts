/**
 * How an execution's whole tree of processes is held together, so that all of it can be ended, stopped and counted.
 *
 *     rung       holds by                                         proves the tree empty
 *     cgroup     a v2 control group per execution                 yes: `populated 0`
 *     namespace  a pid namespace per execution (bubblewrap)       yes: its init is gone
 *     group      session, descendants, cookie in the environment  no: a process that leaves all three stays behind
 */
import type { ContainmentRung } from '@muster/protocol';
import type { AttemptDirectory } from '../supervisor/attempt-directory.js';
import type { FileOperation } from '../supervisor/file-thread.js';
import type { ProcessIdentity } from '../supervisor/process-identity.js';

/** What a rung adds to the start of one execution. */
export interface ContainmentPart {
  /** The job enters the cgroup named after its execution before it does anything else. */
  readonly entersCgroup: boolean;
  readonly wrapper: readonly string[];
  readonly prologue: readonly string[];
  /** What has to exist before the start. */
  readonly operations: readonly FileOperation[];
}

export interface HardLimits {
  readonly memoryBytes: number | null;
  readonly cpus: number | null;
}

/** One way to hold trees, as found on this machine. */
export interface Containment {
  readonly rung: ContainmentRung;
  /** Where its cgroup will be, known before it exists; null where there is none. */
  cgroupPathOf(directory: AttemptDirectory): string | null;
  /** What a start needs whatever the job, so that it can be made while nobody waits for it; touches nothing yet. */
  ahead?(directory: AttemptDirectory): readonly FileOperation[];
  /** What its start needs besides; touches nothing yet. */
  prepare(directory: AttemptDirectory, limits: HardLimits): ContainmentPart;
  /** The tree of an execution, whether this agent started it or an earlier one did. */
  tree(subject: TreeSubject): ContainedTree;
  /** The agent is leaving: gives back what serves no execution any more. Never throws. */
  release(): void;
}

export interface TreeSubject {
  readonly directory: AttemptDirectory;
  /** Absolute; remembered in the intent, because a later agent may keep its cgroups elsewhere. */
  readonly cgroupPath: string | null;
  /** True when this life of the agent started it, so that its pids cannot have been reused unnoticed. */
  readonly startedHere: boolean;
  /** The identified process of the job; null until it has noted who it is. */
  leader(): ProcessIdentity | null;
}

/** What one look at the tree found. `isEmpty` is proof where the rung can prove, else the best anybody can say. */
export interface TreeLook {
  readonly isEmpty: boolean;
  readonly processes: number;
}

export interface TreeUsage {
  readonly cpuSeconds: number | null;
  readonly memoryBytes: number | null;
}

export interface ContainedTree {
  readonly rung: ContainmentRung;
  /** True where one look that finds nobody is proof; otherwise it takes two, 200 ms apart. */
  readonly isProof: boolean;
  /** To the job's own group. False while there is nobody to hear it yet, or any more. */
  signal(signal: NodeJS.Signals): boolean;
  /** SIGKILL to everybody. Safe to repeat, also on a frozen tree. */
  killAll(): Promise<void>;
  look(): Promise<TreeLook>;
  /**
   * Resolves when everybody stands still, or half-way as soon as that is not wanted any more; rejects with a sentence when
   * they do not within ten seconds.
   */
  freeze(isWanted: () => boolean): Promise<void>;
  thaw(): Promise<void>;
  /** Sampled now over the live tree; cumulative where the kernel counts. */
  usage(): TreeUsage;
  /** True when the kernel killed somebody here for want of memory. */
  wasOutOfMemory(): boolean;
  /** Gives back what `prepare` asked for; nothing that is still populated. */
  cleanup(): readonly FileOperation[];
}

/** A freeze that did not come to rest. */
export class FreezeFailed extends Error {
  readonly code = 'freezeFailed';
  constructor(readonly rung: ContainmentRung) {
    super(
      `Some processes of the job kept running for 10 s after they were asked to stand still (containment ${rung}).`,
    );
    this.name = 'FreezeFailed';
  }
}
