import { readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readStart, type AttemptDirectory } from '../supervisor/attempt-directory.js';
import type { FileOperation } from '../supervisor/file-thread.js';
import { readStat, signalIdentity, type ProcessStat } from '../supervisor/process-identity.js';
import {
  FreezeFailed,
  type ContainedTree,
  type Containment,
  type ContainmentPart,
  type HardLimits,
  type TreeLook,
  type TreeSubject,
  type TreeUsage,
} from './containment.js';
import { until } from './settle-loop.js';
import { memoryOf } from './tree-sample.js';

/**
 * One control group per execution below `root`. Groups are made and removed by the file thread, because the kernel lets
 * only one change of the hierarchy happen at a time; reading and killing go to the kernel at once.
 */
export class CgroupContainment implements Containment {
  readonly rung = 'cgroup';

  constructor(
    /** Absolute; made and probed at start. */
    readonly root: string,
    /** Controllers that can set hard limits below `root`. */
    private readonly controllers: ReadonlySet<string>,
  ) {}

  cgroupPathOf(directory: AttemptDirectory): string {
    return join(this.root, basename(directory.path));
  }

  ahead(directory: AttemptDirectory): readonly FileOperation[] {
    return [{ kind: 'makeFolder', path: this.cgroupPathOf(directory), mode: 0o755 }];
  }

  prepare(directory: AttemptDirectory, limits: HardLimits): ContainmentPart {
    const path = this.cgroupPathOf(directory);
    const set = (name: string, content: string): FileOperation => ({ kind: 'set', path: join(path, name), content });
    const operations: FileOperation[] = [];
    if (limits.memoryBytes !== null && this.controllers.has('memory')) {
      operations.push(
        set('memory.oom.group', '1'),
        set('memory.swap.max', '0'),
        set('memory.max', String(limits.memoryBytes)),
      );
    }
    if (limits.cpus !== null && this.controllers.has('cpu')) {
      operations.push(set('cpu.max', `${Math.max(1_000, Math.round(limits.cpus * 100_000))} 100000`));
    }
    return { entersCgroup: true, wrapper: [], prologue: [], operations };
  }

  tree(subject: TreeSubject): ContainedTree {
    return new CgroupTree(
      subject.cgroupPath ?? this.cgroupPathOf(subject.directory),
      subject,
      this.controllers.has('memory'),
    );
  }

  release(): void {
    try {
      rmdirSync(this.root);
    } catch {
      // Jobs live on in it; the next start of the agent uses it again.
    }
  }
}

class CgroupTree implements ContainedTree {
  readonly rung = 'cgroup';
  readonly isProof = true;

  /** At the last look; it stays so, but for whoever is let in from outside. */
  private isEmpty = false;

  constructor(
    private readonly path: string,
    private readonly subject: TreeSubject,
    private readonly hasMemory: boolean,
  ) {}

  signal(signal: NodeJS.Signals): boolean {
    const leader = this.subject.leader();
    return leader !== null && signalIdentity(leader, signal, true);
  }

  async killAll(): Promise<void> {
    write(this.path, 'cgroup.kill', '1');
  }

  async look(): Promise<TreeLook> {
    const isEmpty = !/^populated 1$/m.test(read(this.path, 'cgroup.events'));
    this.isEmpty = isEmpty;
    return { isEmpty, processes: isEmpty ? 0 : this.members().length };
  }

  async freeze(isWanted: () => boolean): Promise<void> {
    write(this.path, 'cgroup.freeze', '1');
    const stands = await until(() => !isWanted() || /^frozen 1$/m.test(read(this.path, 'cgroup.events')), 10_000);
    if (!stands) throw new FreezeFailed(this.rung);
  }

  async thaw(): Promise<void> {
    write(this.path, 'cgroup.freeze', '0');
  }

  usage(): TreeUsage {
    const micros = /^usage_usec (\d+)$/m.exec(read(this.path, 'cpu.stat'))?.[1];
    const peak = this.hasMemory ? Number.parseInt(read(this.path, 'memory.peak'), 10) : Number.NaN;
    const members = Number.isInteger(peak) || this.isEmpty ? [] : this.members();
    const sampled = members.length === 0 ? null : memoryOf(members);
    return {
      cpuSeconds: micros === undefined ? null : Number(micros) / 1_000_000,
      memoryBytes: Number.isInteger(peak) ? peak : sampled,
    };
  }

  wasOutOfMemory(): boolean {
    return this.hasMemory && /^oom_kill [1-9]/m.test(read(this.path, 'memory.events'));
  }

  cleanup(): readonly FileOperation[] {
    return [{ kind: 'removeGroup', path: this.path }];
  }

  private members(): ProcessStat[] {
    const pids = readWhole(this.path, 'cgroup.procs').split('\n').filter(Boolean).map(Number);
    return pids.map(readStat).filter((stat) => stat !== null);
  }
}

/** No file that holds figures is longer. */
const FIGURES_BYTES_MAX = 4_096;

/** Empty text where the file or the group is gone: a group that does not exist holds nobody. */
function read(path: string, name: string): string {
  return readStart(join(path, name), FIGURES_BYTES_MAX) ?? '';
}

function readWhole(path: string, name: string): string {
  try {
    return readFileSync(join(path, name), 'latin1');
  } catch {
    return '';
  }
}

/** False where the kernel refuses or the group is gone. */
export function write(path: string, name: string, text: string): boolean {
  try {
    writeFileSync(join(path, name), text);
    return true;
  } catch {
    return false;
  }
}
