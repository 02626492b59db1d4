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

/** Reads every process's environment, yielding between them: on a big machine a look takes tens of milliseconds. */
export async function scanProcesses(): Promise<MarkedProcess[]> {
  const found: MarkedProcess[] = [];
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid <= 0) continue;
    const stat = readStat(pid);
    if (stat === null || stat.state === 'Z' || stat.state === 'X' || isOfKernel(stat)) continue;
    found.push({ ...stat, cookie: await readCookie(pid) });
  }
  return found;
}

/** Kernel threads: pid 2 and its children, in the machine's own pid namespace. They have no environment to look at. */
function isOfKernel(stat: ProcessStat): boolean {
  return stat.groupId === 0 && stat.sessionId === 0 && (stat.pid === 2 || stat.parentPid === 2);
}

async function readCookie(pid: number): Promise<string | null> {
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
    return cookiePattern.exec(Buffer.concat(pieces).toString('latin1'))?.[1] ?? null;
  } catch {
    return null;
  } finally {
    await file.close().catch(() => undefined);
  }
}

/**
 * The members of one execution in a scan: everything with its cookie, everything in its session or group, and everything
 * below those. Sessions and groups are trusted only while `leader` says they are the execution's own.
 */
export function membersOf(scan: readonly MarkedProcess[], cookie: string, leaderPid: number | null): MarkedProcess[] {
  const members = new Map<number, MarkedProcess>();
  for (const one of scan) {
    const isOfGroup = leaderPid !== null && (one.sessionId === leaderPid || one.groupId === leaderPid);
    if (one.cookie === cookie || isOfGroup) members.set(one.pid, one);
  }
  for (let grew = members.size > 0; grew;) {
    grew = false;
    for (const one of scan) {
      if (members.has(one.pid) || !members.has(one.parentPid)) continue;
      members.set(one.pid, one);
      grew = true;
    }
  }
  return [...members.values()];
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
