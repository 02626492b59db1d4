import { readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import type { AttemptId, AttemptSample } from '@muster/protocol';
import { memoryOf, sampleUsage } from '../containment/tree-sample.js';
import { AttemptDirectory } from '../supervisor/attempt-directory.js';
import { cookieIn, readEnvironment } from '../supervisor/process-environment.js';
import { isAlive, readStat, type ProcessIdentity, type ProcessStat } from '../supervisor/process-identity.js';
import { descendants } from '../supervisor/process-tree.js';
import type { GpuProcess } from './gpu-csv.js';

/** An attempt whose processes run, and where its execution keeps its files. */
export interface RunningAttempt {
  readonly attemptId: AttemptId;
  readonly directory: string;
}

interface Place {
  readonly leader: ProcessIdentity;
  /** Its control group; null where it shares one with others. */
  readonly group: string | null;
}

/** Others wait for the event loop as well. */
const AT_ONCE = 16;

/**
 * What each attempt uses now: by its control group where it has one, else by the processes that descend from its first. Only
 * reads; whatever has gone in between is unknown.
 */
export class AttemptMeter {
  private readonly places = new Map<string, Place>();
  private readonly hierarchy = hierarchyIn(readText('/proc/self/mounts'));

  /** `seesMachine`: process numbers here are those of the driver. */
  constructor(private readonly seesMachine = isInFirstPidNamespace()) {}

  async look(running: readonly RunningAttempt[], gpuProcesses: readonly GpuProcess[] | null): Promise<AttemptSample[]> {
    this.forgetOthers(running);
    // In a container with numbers of its own the driver's would be somebody else's.
    const isTold = gpuProcesses !== null && this.seesMachine;
    const owners = isTold ? await this.ownersOf(running, gpuProcesses) : null;
    const samples: AttemptSample[] = [];
    for (const { attemptId, directory } of running) {
      if (samples.length % AT_ONCE === AT_ONCE - 1) await breathe();
      const gpuMemoryMb = owners === null ? null : memoryIn(owners.get(directory) ?? []);
      samples.push({ attemptId, ...this.usage(directory), gpuMemoryMb });
    }
    return samples;
  }

  private usage(directory: string): Pick<AttemptSample, 'cpuSeconds' | 'memoryBytes'> {
    const place = this.placeOf(directory);
    if (place === null) return UNKNOWN;
    if (place.group === null) return isAlive(place.leader) ? sampleUsage(descendants(place.leader.pid)) : UNKNOWN;
    const micros = /^usage_usec (\d+)$/m.exec(readText(join(place.group, 'cpu.stat')))?.[1];
    const charged = Number.parseInt(readText(join(place.group, 'memory.current')), 10);
    return {
      cpuSeconds: micros === undefined ? null : Number(micros) / 1_000_000,
      // Without the memory controller nobody charges anything.
      memoryBytes: Number.isInteger(charged) ? charged : residentIn(place.group),
    };
  }

  /** Whose the processes on the GPUs are, by the directory. Those of nobody here are left out. */
  private async ownersOf(
    running: readonly RunningAttempt[],
    gpuProcesses: readonly GpuProcess[],
  ): Promise<Map<string, GpuProcess[]>> {
    const byExecution = new Map(running.map(({ directory }) => [basename(directory), directory]));
    const owners = new Map<string, GpuProcess[]>();
    for (const one of gpuProcesses) {
      const directory = await this.ownerOf(one.pid, byExecution);
      if (directory !== undefined) owners.set(directory, [...(owners.get(directory) ?? []), one]);
    }
    return owners;
  }

  /** By its control group, which is named after the execution, by what it inherited, or by whom it descends from. */
  private async ownerOf(pid: number, byExecution: ReadonlyMap<string, string>): Promise<string | undefined> {
    const byGroup = byExecution.get(basename(groupIn(readText(`/proc/${pid}/cgroup`)) ?? ''));
    if (byGroup !== undefined) return byGroup;
    const stat = readStat(pid);
    if (stat === null) return undefined;
    const byCookie = byExecution.get(cookieIn(await readEnvironment(stat)) ?? '');
    if (byCookie !== undefined) return byCookie;
    const leaders = new Map(
      [...byExecution.values()].map((directory) => [this.placeOf(directory)?.leader.pid, directory]),
    );
    return ancestorsOf(stat)
      .map((above) => leaders.get(above))
      .find((directory) => directory !== undefined);
  }

  private placeOf(directory: string): Place | null {
    const known = this.places.get(directory);
    if (known) return known;
    const leader = new AttemptDirectory(directory).readIdent().job;
    if (leader === null || !isAlive(leader)) return null;
    const group = groupIn(readText(`/proc/${leader.pid}/cgroup`));
    const isOwn = this.hierarchy !== null && group !== null && basename(group) === basename(directory);
    const place = { leader, group: isOwn ? join(this.hierarchy, group) : null };
    this.places.set(directory, place);
    return place;
  }

  private forgetOthers(running: readonly RunningAttempt[]): void {
    const wanted = new Set(running.map(({ directory }) => directory));
    for (const directory of this.places.keys()) if (!wanted.has(directory)) this.places.delete(directory);
  }
}

const UNKNOWN = { cpuSeconds: null, memoryBytes: null } as const;
const GENERATIONS_MAX = 64;

function ancestorsOf(stat: ProcessStat): number[] {
  const found: number[] = [];
  for (let at: ProcessStat | null = stat; at !== null && found.length < GENERATIONS_MAX; at = readStat(at.parentPid)) {
    found.push(at.pid);
    if (at.parentPid <= 1) break;
  }
  return found;
}

/** Nobody on the GPU is 0; one whose share the driver does not tell makes the whole unknown. */
function memoryIn(processes: readonly GpuProcess[]): number | null {
  return processes.reduce<number | null>(
    (sum, { memoryMb }) => (sum === null || memoryMb === null ? null : sum + memoryMb),
    0,
  );
}

function residentIn(group: string): number | null {
  const pids = readText(join(group, 'cgroup.procs')).split('\n').filter(Boolean).map(Number);
  return pids.length === 0 ? null : memoryOf(pids.map(readStat).filter((stat) => stat !== null));
}

/** The kernel gives the namespace it boots with this number, always. */
function isInFirstPidNamespace(): boolean {
  try {
    return readlinkSync('/proc/self/ns/pid') === 'pid:[4026531836]';
  } catch {
    return false;
  }
}

/** Where version 2 of control groups is mounted. */
export const hierarchyIn = (mounts: string): string | null => /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1] ?? null;

/** The path of a process's version 2 group, from `/proc/PID/cgroup`. */
export const groupIn = (text: string): string | null => /^0::(\/.*)$/m.exec(text)?.[1] ?? null;

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
