import { statfs } from 'node:fs/promises';
import { arch, cpus, freemem, hostname, platform, release, totalmem } from 'node:os';
import type { Inventory, WorkerSample } from '@muster/protocol';
import { cpu, mem, osInfo } from 'systeminformation';

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

/** Processor time since boot, all processors together. */
interface ProcessorTime {
  readonly busyMs: number;
  readonly totalMs: number;
}

/**
 * Looks at the machine again and again, with what Node itself knows: a beat must not start programs, and a library that
 * covers every system costs more than the rest of an idle agent. What cannot be seen is null.
 */
export class MachineSampler {
  private before: ProcessorTime = readProcessorTime();

  constructor(private readonly directory: string) {}

  /** Load is that since the last look. */
  async look(): Promise<WorkerSample> {
    const disk = await readDisk(this.directory);
    const now = readProcessorTime();
    const share = (now.busyMs - this.before.busyMs) / (now.totalMs - this.before.totalMs);
    this.before = now;
    return {
      cpuPercent: Number.isFinite(share) ? Math.round(share * 1_000) / 10 : null,
      // What programs hold; the page cache is free for the asking and not counted.
      memoryUsedMb: Math.floor((totalmem() - freemem()) / MIB),
      diskFreeMb: disk && Math.floor(disk.freeBytes / MIB),
    };
  }
}

function readProcessorTime(): ProcessorTime {
  let busyMs = 0;
  let totalMs = 0;
  for (const { times } of cpus()) {
    const awakeMs = times.user + times.nice + times.sys + times.irq;
    busyMs += awakeMs;
    totalMs += awakeMs + times.idle;
  }
  return { busyMs, totalMs };
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
