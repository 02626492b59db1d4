import { basename } from 'node:path';
import {
  TICKS_PER_SECOND,
  isAlive,
  readStat,
  signalIdentity,
  type ProcessIdentity,
  type ProcessStat,
} from '../supervisor/process-identity.js';
import {
  descendants,
  killGroup,
  membersOf,
  wholeGroups,
  type MarkedProcess,
  type SharedScan,
} from '../supervisor/process-tree.js';
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
  /** Once nobody had its number any more, whoever has it later is a stranger, and so is what a stranger leaves. */
  private isNumberFree = false;

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

  /**
   * Groups first, whole: whoever forks faster than anybody can look is gone by the time it would be looked for. The job's
   * own too when nobody was seen in it, but not when it holds somebody who is no member.
   */
  async killAll(): Promise<void> {
    const scan = await this.freshScan();
    const members = this.membersIn(scan);
    const leader = this.trustedLeader(scan);
    if (leader && !scan.some((one) => one.groupId === leader.pid))
      killGroup({ groupId: leader.pid, oldestTicks: leader.startTicks });
    for (const group of wholeGroups(scan, members)) killGroup(group);
    for (const one of members) signalIdentity(one, 'SIGKILL');
  }

  async look(): Promise<TreeLook> {
    const scan = await this.freshScan();
    let { length } = this.membersIn(scan);
    // Somebody may have been between two processes in every moment of the look.
    if (length === 0 && this.doesGroupAnswer(scan)) ({ length } = await this.members());
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
    return this.membersIn(await this.freshScan());
  }

  private async freshScan(): Promise<MarkedProcess[]> {
    const leader = this.subject.leader();
    const scan = await this.scan.fresh();
    if (leader && !hasNumber(leader, scan)) this.isNumberFree = true;
    return scan;
  }

  private membersIn(scan: readonly MarkedProcess[]): MarkedProcess[] {
    return membersOf(scan, basename(this.subject.directory.path), this.trustedLeader(scan)?.pid ?? null);
  }

  /** A number stays taken while anybody is in its group or session, so until a look found it free the group is still ours. */
  private trustedLeader(scan: readonly MarkedProcess[]): ProcessIdentity | null {
    const leader = this.subject.leader();
    if (!leader || this.isNumberFree) return null;
    if (!this.wasLeaderSeen) this.wasLeaderSeen = this.isLeaderAlive() || this.hasChildOf(leader, scan);
    const now = readStat(leader.pid);
    this.isNumberFree = now !== null && now.startTicks !== leader.startTicks;
    return this.wasLeaderSeen && !this.isNumberFree ? leader : null;
  }

  /** Also true while a dead member was not collected yet, so it proves nothing by itself. */
  private doesGroupAnswer(scan: readonly MarkedProcess[]): boolean {
    const leader = this.trustedLeader(scan);
    return leader !== null && doesAnswer(leader.pid);
  }

  /**
   * Whoever began while the leader lived and is in a session of its number is in its session: nobody else had the number
   * then. So the number was never free since.
   */
  private hasChildOf(leader: ProcessIdentity, scan: readonly MarkedProcess[]): boolean {
    const endedAtSeconds = this.subject.directory.readStatus()?.atSeconds;
    if (endedAtSeconds === undefined) return false;
    return scan.some(
      ({ sessionId, startTicks }) =>
        sessionId === leader.pid && startTicks >= leader.startTicks && startTicks <= endedAtSeconds * TICKS_PER_SECOND,
    );
  }

  private isLeaderAlive(): boolean {
    const leader = this.subject.leader();
    return leader !== null && isAlive(leader);
  }
}

/** Whether anybody is, or is in the group or session of, the leader; the dead that nobody collected yet among them. */
function hasNumber(leader: ProcessIdentity, scan: readonly MarkedProcess[]): boolean {
  const now = readStat(leader.pid);
  if (now !== null) return now.startTicks === leader.startTicks;
  return scan.some((one) => one.sessionId === leader.pid || one.groupId === leader.pid) || doesAnswer(leader.pid);
}

function doesAnswer(groupId: number): boolean {
  try {
    return process.kill(-groupId, 0);
  } catch {
    return false;
  }
}
