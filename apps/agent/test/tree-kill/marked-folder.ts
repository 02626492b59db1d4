/**
 * A folder whose copies of `sh` and `sleep` mark whoever runs them. A process can change its session, parents, environment
 * and descriptors; the file it was made from, and its arguments, stay readable until it ends.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../process/manager-harness.js';

const CORPUS = join(import.meta.dirname, 'corpus');

export class MarkedFolder {
  readonly path = mkdtempSync(join(realpathSync(tmpdir()), 'muster-tree-'));

  constructor() {
    for (const name of ['sh', 'sleep']) {
      copyFileSync(realpathSync(whereIs(name)), join(this.path, name));
      chmodSync(join(this.path, name), 0o755);
    }
    const python = pythonProgram();
    if (python !== null) symlinkSync(python, join(this.path, 'python3'));
    mkdirSync(join(this.path, 'beats'));
  }

  /** The words that run one job of the corpus, with this folder in the arguments of all its processes. */
  command(shape: string, mode: 'stays' | 'leaves'): string[] {
    return [join(this.path, 'sh'), join(CORPUS, `${shape}.sh`), this.path, shape, mode];
  }

  /** Lets the jobs that are to leave end by themselves. */
  letThemLeave(): void {
    writeFileSync(join(this.path, 'leave'), '');
  }

  /** Living processes that carry the mark, whoever may see them in whichever namespace. */
  processes(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && this.marks(name))
      .map(Number);
  }

  /** How often the heart of this name has beaten; whoever is not found in the process table is still heard here. */
  beats(shape: string): number {
    return statSync(join(this.path, 'beats', shape), { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Names of the shapes of which somebody lives: seen in the process table, or heard within half a second. */
  async survivors(shapes: readonly string[]): Promise<string[]> {
    const before = new Map(shapes.map((shape) => [shape, this.beats(shape)]));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const seen = this.processes().map((pid) => read(`/proc/${pid}/cmdline`));
    const isSeen = (shape: string): boolean => seen.some((words) => words.split('\0').some((word) => isOf(word, shape)));
    return shapes.filter((shape) => isSeen(shape) || this.beats(shape) > (before.get(shape) ?? 0));
  }

  /** Racers included. */
  async killEverybody(): Promise<void> {
    writeFileSync(join(this.path, 'enough'), '');
    await eventually('nobody marked is left', () => {
      const left = this.processes();
      for (const pid of left) kill(pid);
      return left.length === 0 ? true : null;
    });
  }

  async destroy(): Promise<void> {
    await this.killEverybody();
    rmSync(this.path, { recursive: true, force: true });
  }

  private marks(pid: string): boolean {
    return link(`/proc/${pid}/exe`).startsWith(`${this.path}/`) || read(`/proc/${pid}/cmdline`).includes(this.path);
  }
}

/** The shape's name as an argument of its own, or the end of the path of its beats. */
const isOf = (word: string, shape: string): boolean => word === shape || word.endsWith(`/beats/${shape}`);

/** The interpreter itself, not a script that looks for it each time; null where there is none. */
export function pythonProgram(): string | null {
  const { status, stdout } = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

function whereIs(program: string): string {
  const folders = ['/bin', '/usr/bin', ...(process.env.PATH ?? '').split(':')];
  const found = folders.map((folder) => join(folder, program)).find((path) => statSync(path, { throwIfNoEntry: false }));
  if (found === undefined) throw new Error(`There is no ${program} on this machine.`);
  return found;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
}
