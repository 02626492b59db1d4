import { statfs } from 'node:fs/promises';
import { arch, cpus, freemem, hostname, platform, release, totalmem } from 'node:os';
import type { Inventory, WorkerSample } from '@muster/protocol';
import type { Clock } from '@muster/runtime';
import { readSystemNames } from './system-names.js';
import { rateOf, readTraffic, type Traffic, type TrafficRate } from './traffic.js';

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
  const [{ system, processor }, disk] = await Promise.all([readSystemNames(), readDisk(directory)]);
  const name = platform();
  return {
    hostname: hostname(),
    platform: name === 'win32' ? 'windows' : name,
    arch: arch(),
    osRelease: system ?? release(),
    cpuModel: processor || cpus()[0]?.model.trim() || 'unknown',
    cpuCores: cpus().length || 1,
    memoryMb: Math.floor(totalmem() / MIB),
    diskMb: disk && Math.floor(disk.totalBytes / MIB),
  };
}

/** Processor time since boot, all processors together. */
interface ProcessorTime {
  readonly busyMs: number;
  readonly totalMs: number;
}

export type MachineSample = Pick<WorkerSample, 'cpuPercent' | 'memoryUsedMb' | 'diskFreeMb'> & TrafficRate;

/**
 * Looks at the machine again and again, with what Node itself knows and a few files of the kernel: a beat must not start
 * programs, and a library that covers every system costs more than the rest of an idle agent. What cannot be seen is null.
 */
export class MachineSampler {
  private before: ProcessorTime = readProcessorTime();
  private traffic: { readonly counted: Traffic; readonly atMs: number } | null = null;

  constructor(
    private readonly directory: string,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
  ) {}

  /** Load and traffic are those since the last look; nothing is known of traffic at the first. */
  async look(): Promise<MachineSample> {
    const [disk, counted] = await Promise.all([readDisk(this.directory), readTraffic()]);
    const now = readProcessorTime();
    const share = (now.busyMs - this.before.busyMs) / (now.totalMs - this.before.totalMs);
    this.before = now;
    return {
      // Counters of a virtual machine may go back a little.
      cpuPercent: Number.isFinite(share) ? Math.round(Math.min(1, Math.max(0, share)) * 1_000) / 10 : null,
      // What programs hold; the page cache is free for the asking and not counted.
      memoryUsedMb: Math.floor((totalmem() - freemem()) / MIB),
      diskFreeMb: disk && Math.floor(disk.freeBytes / MIB),
      ...this.rateSince(counted),
    };
  }

  private rateSince(counted: Traffic): TrafficRate {
    const atMs = this.clock.monotonicMs();
    const { counted: before, atMs: beforeMs } = this.traffic ?? { counted, atMs };
    this.traffic = { counted, atMs };
    return rateOf(before, counted, (atMs - beforeMs) / 1_000);
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
