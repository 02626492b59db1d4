import { statfs } from 'node:fs/promises';
import { arch, cpus, hostname, platform, release, totalmem } from 'node:os';
import type { Inventory, WorkerSample } from '@muster/protocol';
import { cpu, currentLoad, mem, osInfo } from 'systeminformation';

const MIB = 1024 * 1024;

export type MachineFacts = Pick<
  Inventory,
  'hostname' | 'platform' | 'arch' | 'osRelease' | 'cpuModel' | 'cpuCores' | 'memoryMb' | 'diskMb'
>;

export interface DiskSpace {
  readonly totalBytes: number;
  /** What this user may still write. */
  readonly freeBytes: number;
}

/** What the machine is. Whatever cannot be found out falls back to what Node knows. */
export async function readMachine(directory: string): Promise<MachineFacts> {
  const [processor, system, memory, disk] = await Promise.all([
    cpu().catch(() => null),
    osInfo().catch(() => null),
    mem().catch(() => null),
    readDisk(directory),
  ]);
  const model = [processor?.manufacturer, processor?.brand].filter(Boolean).join(' ') || cpus()[0]?.model || 'unknown';
  return {
    hostname: hostname(),
    platform: platform(),
    arch: arch(),
    osRelease: [system?.distro, system?.release].filter((part) => part && part !== 'unknown').join(' ') || release(),
    cpuModel: model,
    cpuCores: cpus().length || 1,
    memoryMb: Math.floor((memory?.total ?? totalmem()) / MIB),
    diskMb: disk && Math.floor(disk.totalBytes / MIB),
  };
}

/** One look at the machine; what cannot be seen is null. */
export async function readSample(directory: string): Promise<WorkerSample> {
  const [load, memory, disk] = await Promise.all([
    currentLoad().catch(() => null),
    mem().catch(() => null),
    readDisk(directory),
  ]);
  // What programs hold; the page cache is free for the asking and not counted.
  const usedBytes = memory && memory.total - memory.available;
  return {
    cpuPercent: load && Number.isFinite(load.currentLoad) ? Math.round(load.currentLoad * 10) / 10 : null,
    memoryUsedMb: usedBytes === null ? null : Math.floor(usedBytes / MIB),
    diskFreeMb: disk && Math.floor(disk.freeBytes / MIB),
  };
}

/** Space of the file system that holds `directory`; null when it does not tell. */
export async function readDisk(directory: string): Promise<DiskSpace | null> {
  try {
    const { bsize, blocks, bavail } = await statfs(directory);
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  } catch {
    return null;
  }
}
