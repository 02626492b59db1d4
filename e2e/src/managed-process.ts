import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** A built program run as a child, with the environment given and nothing else, its output in a file. */
export interface ProgramOptions {
  readonly name: string;
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * One process under test. Killed and started again by handle only, never through a pid file, so that a test can not
 * hit a stranger.
 */
export class ManagedProcess {
  private child: ChildProcess | undefined;
  private exited: Promise<Exit> = Promise.resolve({ code: null, signal: null });

  constructor(private readonly options: ProgramOptions) {}

  get pid(): number {
    if (this.child?.pid === undefined) throw new Error(`${this.options.name} was not started.`);
    return this.child.pid;
  }

  get isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  start(env: Readonly<Record<string, string>> = {}): void {
    if (this.isRunning) throw new Error(`${this.options.name} is already running.`);
    const log = openSync(this.options.logFile, 'a');
    const child = spawn(process.execPath, [this.options.script], {
      env: { ...this.options.env, ...env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.child = child;
    this.exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  }

  /** Sends a signal and, for those that end it, waits until it is gone. */
  async kill(signal: NodeJS.Signals): Promise<Exit | null> {
    if (!this.isRunning) return null;
    this.child?.kill(signal);
    return signal === 'SIGSTOP' || signal === 'SIGCONT' ? null : this.exited;
  }

  exit(): Promise<Exit> {
    return this.exited;
  }

  /** What it printed, for the message of a failed expectation. */
  output(): string {
    return readFileSync(this.options.logFile, 'utf8');
  }
}
