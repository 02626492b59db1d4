import { readFileSync } from 'node:fs';
import {
  TICKS_PER_SECOND,
  signalIdentity,
  type ProcessIdentity,
  type ProcessStat,
} from '../supervisor/process-identity.js';
import { FreezeFailed, type TreeUsage } from './containment.js';
import { until } from './settle-loop.js';

/** Pages are 4 KiB on every processor but some arm64 and ppc64 builds; `VmRSS` is in KiB everywhere. */
function residentBytes(pid: number): number {
  try {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return match ? Number(match[1]) * 1024 : 0;
  } catch {
    return 0;
  }
}

/** Shared pages count once per process that maps them, so this is an upper bound. */
export function memoryOf(processes: readonly ProcessIdentity[]): number {
  return processes.reduce((sum, one) => sum + residentBytes(one.pid), 0);
}

/** Processor time of the live processes and of the children they collected. */
export function cpuSecondsOf(processes: readonly ProcessStat[]): number {
  return processes.reduce((sum, one) => sum + one.cpuTicks, 0) / TICKS_PER_SECOND;
}

/** Null for a tree in which nobody lives any more: that says nothing about what it used. */
export function sampleUsage(processes: readonly ProcessStat[]): TreeUsage {
  if (processes.length === 0) return { cpuSeconds: null, memoryBytes: null };
  return { cpuSeconds: cpuSecondsOf(processes), memoryBytes: memoryOf(processes) };
}

const FREEZE_DEADLINE_MS = 10_000;

/**
 * SIGSTOP to everybody, again and again, until two looks in a row find somebody there and nobody moving: a process may
 * fork while it is being stopped, and a list of children that changes while it is read may miss one.
 */
export async function stopEverybody(
  rung: FreezeFailed['rung'],
  members: () => Promise<readonly ProcessStat[]>,
  isWanted: () => boolean,
): Promise<void> {
  let quietLooks = 0;
  const stands = await until(async () => {
    const everybody = await members();
    if (!isWanted()) return true;
    const moving = everybody.filter((one) => !standsStill(one, everybody));
    for (const one of moving) signalIdentity(one, 'SIGSTOP');
    quietLooks = everybody.length > 0 && moving.length === 0 ? quietLooks + 1 : 0;
    return quietLooks >= 2;
  }, FREEZE_DEADLINE_MS);
  if (!stands) throw new FreezeFailed(rung);
}

/**
 * Stopped, or a parent that the kernel holds until its stopped child has called exec (vfork, as dash does): it hears
 * nothing but KILL and cannot move before the child does.
 */
export function standsStill(one: ProcessStat, everybody: readonly ProcessStat[]): boolean {
  if (isStopped(one)) return true;
  return one.state === 'D' && everybody.some((child) => child.parentPid === one.pid && isStopped(child));
}

const isStopped = (one: ProcessStat): boolean => one.state === 'T' || one.state === 't';

/** SIGCONT to everybody, twice: to go on that is already going changes nothing, and one look may miss somebody. */
export async function continueEverybody(members: () => Promise<readonly ProcessStat[]>): Promise<void> {
  for (let look = 0; look < 2; look++) for (const one of await members()) signalIdentity(one, 'SIGCONT');
}
