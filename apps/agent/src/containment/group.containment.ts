import { basename } from 'node:path';
import { isAlive, readStat, signalIdentity, type ProcessStat } from '../supervisor/process-identity.js';
import { descendants, membersOf, type SharedScan } from '../supervisor/process-tree.js';
import type { ContainedTree, Containment, ContainmentPart, TreeLook, TreeSubject, TreeUsage } from './containment.js';
import { continueEverybody, sampleUsage, stopEverybody } from './tree-sample.js';

/**
 * Needs nothing of the machine and proves nothing: a process that starts its own session *and* empties its environment
 * *and* loses its parent stays behind unseen. Everybody else is found.
 */
export class GroupContainment implements Containment {
  readonly rung = 'group';

  constructor(private readonly scan: SharedScan) {}

  cgroupPathOf(): null {
    return null;
  }

  prepare(): ContainmentPart {
    return { entersCgroup: false, wrapper: [], prologue: [], operations: [] };
  }

  tree(subject: TreeSubject): ContainedTree {
    return new GroupTree(subject, this.scan);
  }

  release(): void {
    // Nothing is kept between executions.
  }
}

class GroupTree implements ContainedTree {
  readonly rung = 'group';
  readonly isProof = false;
  /** Once this agent saw the leader alive, a group that outlived it may be taken for the execution's own. */
  private wasLeaderSeen: boolean;

  constructor(
    private readonly subject: TreeSubject,
    private readonly scan: SharedScan,
  ) {
    this.wasLeaderSeen = subject.startedHere;
  }

  signal(signal: NodeJS.Signals): boolean {
    const leader = this.subject.leader();
    return leader !== null && signalIdentity(leader, signal, true);
  }

  async killAll(): Promise<void> {
    for (const one of await this.members()) signalIdentity(one, 'SIGKILL');
  }

  async look(): Promise<TreeLook> {
    const { length } = await this.members();
    return { isEmpty: length === 0, processes: length };
  }

  freeze(isWanted: () => boolean): Promise<void> {
    return stopEverybody(this.rung, () => this.members(), isWanted);
  }

  thaw(): Promise<void> {
    return continueEverybody(() => this.members());
  }

  usage(): TreeUsage {
    const leader = this.subject.leader();
    return leader && this.isLeaderAlive() ? sampleUsage(descendants(leader.pid)) : sampleUsage([]);
  }

  wasOutOfMemory(): boolean {
    return false;
  }

  cleanup(): readonly [] {
    // Nothing was made.
    return [];
  }

  private async members(): Promise<ProcessStat[]> {
    const scan = await this.scan.fresh();
    return membersOf(scan, basename(this.subject.directory.path), this.trustedLeaderPid());
  }

  /** A group id stays taken while anybody is in it, so an unchanged or absent leader means the group is still ours. */
  private trustedLeaderPid(): number | null {
    const leader = this.subject.leader();
    if (!leader) return null;
    if (this.isLeaderAlive()) this.wasLeaderSeen = true;
    const now = readStat(leader.pid);
    const isReused = now !== null && now.startTicks !== leader.startTicks;
    return this.wasLeaderSeen && !isReused ? leader.pid : null;
  }

  private isLeaderAlive(): boolean {
    const leader = this.subject.leader();
    return leader !== null && isAlive(leader);
  }
}
