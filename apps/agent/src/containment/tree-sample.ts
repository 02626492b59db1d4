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

/** SIGSTOP to everybody, again and again, until a look finds nobody moving: a process may fork while it is being stopped. */
export async function stopEverybody(
  rung: FreezeFailed['rung'],
  members: () => Promise<readonly ProcessStat[]>,
): Promise<void> {
  const stands = await until(async () => {
    const moving = (await members()).filter((one) => one.state !== 'T' && one.state !== 't');
    for (const one of moving) signalIdentity(one, 'SIGSTOP');
    return moving.length === 0;
  }, FREEZE_DEADLINE_MS);
  if (!stands) throw new FreezeFailed(rung);
}
