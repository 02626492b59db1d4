import { spawn, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';

const program = resolve(import.meta.dirname, '../../apps/cli/bin/muster.mjs');

export interface CliResult {
  /** Exit code; 128 + number when a signal ended it, as a shell says it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Stdout as it came. */
  readonly bytes: Buffer;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** A running CLI; its result comes when it ends. */
export interface RunningCli {
  readonly child: ChildProcess;
  readonly result: Promise<CliResult>;
  /** What it has said so far. */
  stdout(): string;
  stderr(): string;
}

/**
 * The `muster` command as a process of its own, without a terminal, with a home of its own and nothing of ours in its
 * environment. Every process still running is ended by `stop`.
 */
export class Cli {
  private readonly running = new Set<ChildProcess>();

  constructor(
    /** Folder for its contexts and what it remembers. */
    readonly home: string,
    private readonly env: Readonly<Record<string, string>> = {},
  ) {}

  /** Runs it to its end. */
  run(words: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    return this.start(words, options).result;
  }

  start(words: readonly string[], { env = {}, stdin }: CliOptions = {}): RunningCli {
    const child = spawn(process.execPath, [program, ...words], {
      env: {
        PATH: process.env.PATH ?? '',
        HOME: this.home,
        XDG_CONFIG_HOME: join(this.home, 'config'),
        XDG_STATE_HOME: join(this.home, 'state'),
        TERM: 'xterm-256color',
        ...this.env,
        ...env,
      },
      stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    this.running.add(child);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (piece: Buffer) => out.push(piece));
    child.stderr?.on('data', (piece: Buffer) => err.push(piece));
    child.stdin?.end(stdin);
    const result = new Promise<CliResult>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        this.running.delete(child);
        const bytes = Buffer.concat(out);
        const ended = code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGKILL' ? 137 : 143);
        resolve({ code: ended, bytes, stdout: bytes.toString(), stderr: Buffer.concat(err).toString() });
      });
    });
    return { child, result, stdout: () => Buffer.concat(out).toString(), stderr: () => Buffer.concat(err).toString() };
  }

  /** Ends what a failed test left running. */
  stop(): void {
    for (const child of this.running) child.kill('SIGKILL');
  }
}
