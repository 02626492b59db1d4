/** Finding the processes of an execution: by parentage, by session and by the cookie in their environment. */
import { readFileSync, readdirSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { readStat, type ProcessStat } from './process-identity.js';

/** Every process of an execution inherits this variable; a process that emptied its environment escapes the sweep. */
export const COOKIE_NAME = 'MUSTER_EXECUTION';

const COOKIE_BYTES_MAX = 2 * 1024 * 1024;
const cookiePattern = new RegExp(`(?:^|\\0)${COOKIE_NAME}=([A-Za-z0-9._-]+)(?=\\0|$)`);

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

/** One look at every process of the machine: its stat and the cookie it carries, if it carries one we may read. */
export interface MarkedProcess extends ProcessStat {
  readonly cookie: string | null;
}

/**
 * Reads every process's environment, yielding between them: on a big machine a look takes tens of milliseconds. Then who
 * was made meanwhile, again and again until nobody is new: somebody who lives for five milliseconds and leaves a successor
 * would never be met otherwise.
 */
export async function scanProcesses(): Promise<MarkedProcess[]> {
  const found = new Map<number, MarkedProcess>();
  const seen = new Set<string>();
  for (const name of await readdir('/proc')) {
    seen.add(name);
    const stat = statOf(name);
    if (stat) found.set(stat.pid, { ...stat, cookie: cookieIn(await readEnvironment(stat.pid)) });
  }
  for (let round = 0; round < NEWCOMER_ROUNDS; round++) {
    const newcomers = readdirSync('/proc').filter((name) => !seen.has(name));
    if (newcomers.length === 0) break;
    // The newest first and without a pause: it may be gone before a thread has time for it.
    for (const name of newcomers.reverse()) {
      const stat = statOf(name);
      const environment = stat ? readEnvironmentNow(stat.pid) : null;
      // Amid exec it has none: the next round asks again.
      if (stat === null || environment?.length) seen.add(name);
      if (stat) found.set(stat.pid, { ...stat, cookie: cookieIn(environment) });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return [...found.values()];
}

/** On a busy machine somebody is always new. */
const NEWCOMER_ROUNDS = 12;

/** Null for what is no process, and for the dead and the kernel's own threads, which nobody needs to look at. */
function statOf(name: string): ProcessStat | null {
  const pid = Number(name);
  const stat = Number.isInteger(pid) && pid > 0 ? readStat(pid) : null;
  return stat === null || stat.state === 'Z' || stat.state === 'X' || isOfKernel(stat) ? null : stat;
}

/** Kernel threads: pid 2 and its children, in the machine's own pid namespace. They have no environment to look at. */
function isOfKernel(stat: ProcessStat): boolean {
  return stat.groupId === 0 && stat.sessionId === 0 && (stat.pid === 2 || stat.parentPid === 2);
}

async function readEnvironment(pid: number): Promise<Buffer | null> {
  const file = await open(`/proc/${pid}/environ`, 'r').catch(() => null);
  if (file === null) return null;
  try {
    const pieces: Buffer[] = [];
    let length = 0;
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, length);
      if (bytesRead === 0) break;
      pieces.push(buffer.subarray(0, bytesRead));
      length += bytesRead;
      if (length >= COOKIE_BYTES_MAX) break;
    }
    return Buffer.concat(pieces);
  } catch {
    return null;
  } finally {
    await file.close().catch(() => undefined);
  }
}

function readEnvironmentNow(pid: number): Buffer | null {
  try {
    return readFileSync(`/proc/${pid}/environ`);
  } catch {
    return null;
  }
}

const cookieIn = (environment: Buffer | null): string | null =>
  (environment && cookiePattern.exec(environment.toString('latin1'))?.[1]) ?? null;

/**
 * The members of one execution in a scan: everything with its cookie, everything in its session or group, everything below
 * those, and everything in the sessions they made. Session and group of `leaderPid` are trusted, so the caller must know
 * that they are the execution's own.
 */
export function membersOf(scan: readonly MarkedProcess[], cookie: string, leaderPid: number | null): MarkedProcess[] {
  const members = new Map<number, MarkedProcess>();
  for (const one of scan) {
    const isOfGroup = leaderPid !== null && (one.sessionId === leaderPid || one.groupId === leaderPid);
    if (one.cookie === cookie || isOfGroup) members.set(one.pid, one);
  }
  const pids = new Set(scan.map((one) => one.pid));
  for (let grew = members.size > 0; grew;) {
    grew = false;
    const sessions = sessionsMadeBy(members, pids);
    for (const one of scan) {
      if (members.has(one.pid) || !(members.has(one.parentPid) || sessions.has(one.sessionId))) continue;
      members.set(one.pid, one);
      grew = true;
    }
  }
  return [...members.values()];
}

/**
 * A session holds only what descends from its leader, so one whose leader is a member, or has gone, is the execution's own.
 * For a moment a job is in the session of its supervisor, which is alive and no member.
 */
function sessionsMadeBy(members: ReadonlyMap<number, MarkedProcess>, alive: ReadonlySet<number>): Set<number> {
  const sessions = new Set([...members.values()].map((one) => one.sessionId));
  for (const leader of sessions) if (leader <= 1 || (alive.has(leader) && !members.has(leader))) sessions.delete(leader);
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
 * where a younger process has it, the group is gone.
 */
export function killGroup({ groupId, oldestTicks }: WholeGroup): void {
  const holder = readStat(groupId);
  if (holder !== null && holder.startTicks > oldestTicks) return;
  try {
    process.kill(-groupId, 'SIGKILL');
  } catch {
    // Nobody is in it any more.
  }
}

/**
 * Shares looks among everybody who waits for one: a look serves those who asked before it began, so a hundred endings at
 * once cost two looks and not a hundred.
 */
export class SharedScan {
  private current: Promise<MarkedProcess[]> | null = null;
  private next: Promise<MarkedProcess[]> | null = null;

  /** A look that began after this call. */
  fresh(): Promise<MarkedProcess[]> {
    this.next ??= this.begin(this.current);
    return this.next;
  }

  private async begin(previous: Promise<MarkedProcess[]> | null): Promise<MarkedProcess[]> {
    await previous?.catch(() => undefined);
    await Promise.resolve();
    const scan = scanProcesses();
    this.current = scan;
    this.next = null;
    return scan;
  }
}
