import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const EXAMPLES = path.resolve(import.meta.dirname, '..');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** What the program has printed so far. */
  stdout(): string;
  readonly ended: Promise<Ended>;
}

/** Starts a program in the given folder with nothing in its environment but a path and what is named. */
export function start(command: readonly [string, ...string[]], cwd: string, env: Record<string, string>): Running {
  const child = spawn(command[0], command.slice(1), { cwd, env: { PATH: process.env['PATH'] ?? '', ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, stdout: () => stdout, ended };
}

/** A folder of its own for one run, and the variables by which Muster would name the files in it. */
export class Workspace {
  private constructor(readonly folder: string) {}

  static async create(): Promise<Workspace> {
    return new Workspace(await mkdtemp(path.join(tmpdir(), 'muster-example-')));
  }

  get variables(): Record<string, string> {
    return {
      MUSTER_METRICS: path.join(this.folder, 'metrics.jsonl'),
      MUSTER_PROGRESS: path.join(this.folder, 'progress'),
      MUSTER_RESULT: path.join(this.folder, 'result.json'),
      MUSTER_OUTPUT_DIR: path.join(this.folder, 'out'),
    };
  }

  files(): Promise<string[]> {
    return readdir(this.folder);
  }

  read(file: string): Promise<string> {
    return readFile(path.join(this.folder, file), 'utf8');
  }

  async lines(file: string): Promise<string[]> {
    return (await this.read(file)).trimEnd().split('\n');
  }

  async json<T>(file: string): Promise<T> {
    return JSON.parse(await this.read(file)) as T;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
