/** Finding the processes of an execution: by parentage, by session and by the cookie in their environment. */
import { readFileSync, readdirSync } from 'node:fs';
import { isOwnGroup, readStat, type ProcessStat } from './process-identity.js';
import type { MarkedProcess } from './process-scan.js';

export { COOKIE_NAME } from './process-environment.js';
export { SharedScan, scanProcesses, type MarkedProcess } from './process-scan.js';

/** Direct children of all its threads, by the kernel's own list; empty where it keeps none or the process is gone. */
function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** The process and everything below it that was not orphaned; cheap, so fit for sampling. Dead ones are left out. */
export function descendants(rootPid: number): ProcessStat[] {
  const found: ProcessStat[] = [];
  const queue = [rootPid];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    const stat = readStat(pid);
    if (stat === null) continue;
    if (stat.state !== 'Z' && stat.state !== 'X') found.push(stat);
    queue.push(...childrenOf(pid));
  }
  return found;
}

/**
 * The members of one execution in a scan: everything with its cookie, everything in its session or group, everything below
 * those, and everything in the sessions they made. Session and group of `leaderPid` are trusted, so the caller must know
 * that they are the execution's own.
 *
 * An agent that one of its own jobs has started carries that job's cookie, and so does whatever started it. They are no
 * members, nor is anybody for being below them: they hold all other jobs of this machine.
 */
export function membersOf(
  scan: readonly MarkedProcess[],
  cookie: string,
  leaderPid: number | null,
  agentPid = process.pid,
): MarkedProcess[] {
  const members = new Map<number, MarkedProcess>();
  const spared = sparedFor(agentPid, scan, cookie, leaderPid);
  for (const one of scan) {
    if (spared.has(one.pid)) continue;
    const isOfGroup = leaderPid !== null && (one.sessionId === leaderPid || one.groupId === leaderPid);
    if (one.cookie === cookie || isOfGroup) members.set(one.pid, one);
  }
  const pids = new Set(scan.map((one) => one.pid));
  for (let grew = members.size > 0; grew;) {
    grew = false;
    const sessions = sessionsMadeBy(members, pids);
    for (const one of scan) {
      if (members.has(one.pid) || spared.has(one.pid)) continue;
      if (!(members.has(one.parentPid) || sessions.has(one.sessionId))) continue;
      members.set(one.pid, one);
      grew = true;
    }
  }
  return [...members.values()];
}

/**
 * The agent and everybody above it but the job's own process, which goes when the job has to go; the agent outlives it.
 * Also the children of an agent that carries the cookie: on its way to exec a supervisor still looks like the agent.
 */
function sparedFor(
  agentPid: number,
  scan: readonly MarkedProcess[],
  cookie: string,
  leaderPid: number | null,
): Set<number> {
  const byPid = new Map(scan.map((one) => [one.pid, one]));
  const spared = new Set([agentPid]);
  let above = byPid.get(byPid.get(agentPid)?.parentPid ?? 0);
  for (; above && !spared.has(above.pid); above = byPid.get(above.parentPid)) spared.add(above.pid);
  if (leaderPid !== null && leaderPid !== agentPid) spared.delete(leaderPid);
  if (byPid.get(agentPid)?.cookie !== cookie) return spared;
  for (const one of scan) if (one.parentPid === agentPid && one.cookie === cookie) spared.add(one.pid);
  return spared;
}

/**
 * A session holds only what descends from its leader, so one whose leader is a member, or has gone, is the execution's own.
 * For a moment a job is in the session of its supervisor, which is alive and no member.
 */
function sessionsMadeBy(members: ReadonlyMap<number, MarkedProcess>, alive: ReadonlySet<number>): Set<number> {
  const sessions = new Set([...members.values()].map((one) => one.sessionId));
  for (const leader of sessions)
    if (leader <= 1 || (alive.has(leader) && !members.has(leader))) sessions.delete(leader);
  return sessions;
}

/** A process group that is known to hold nobody but the members of one execution. */
export interface WholeGroup {
  readonly groupId: number;
  /** Nobody of the group started before this; clock ticks after boot. */
  readonly oldestTicks: number;
}

/** The groups of the members that hold nobody else; the supervisor's, in which a job is for a moment, never. */
export function wholeGroups(scan: readonly MarkedProcess[], members: readonly MarkedProcess[]): WholeGroup[] {
  const own = new Set(members);
  const shared = new Set(scan.filter((one) => !own.has(one)).map((one) => one.groupId));
  const groups = new Map<number, number>();
  for (const { groupId, startTicks } of members) {
    if (groupId <= 1 || shared.has(groupId)) continue;
    groups.set(groupId, Math.min(startTicks, groups.get(groupId) ?? startTicks));
  }
  return [...groups].map(([groupId, oldestTicks]) => ({ groupId, oldestTicks }));
}

/**
 * Everybody in the group dies at one moment, also whoever is being forked. A number is not given away while a group has it;
 * where a younger process has it, the group is gone. The agent's own group is nobody's.
 */
export function killGroup({ groupId, oldestTicks }: WholeGroup): void {
  const holder = readStat(groupId);
  if (holder !== null && holder.startTicks > oldestTicks) return;
  if (isOwnGroup(groupId)) return;
  try {
    process.kill(-groupId, 'SIGKILL');
  } catch {
    // Nobody is in it any more.
  }
}
