import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface SlotSupervisorOptions {
  readonly shellPath: string;
  readonly scriptPath: string;
  readonly stateDir: string;
  readonly attemptsDir: string;
  /** Where directories are made ahead; empty when none are. */
  readonly readyDir: string;
  readonly cgroupRoot: string;
  readonly heard: (supervisor: SlotSupervisor, event: SlotEvent) => void;
  /** Told once: the shell is gone, and everything it said was heard. */
  readonly died: (supervisor: SlotSupervisor, how: Record<string, unknown>) => void;
}

/** See the lines of `SLOT_SCRIPT`. */
export interface SlotEvent {
  readonly kind: 'ended' | 'refused' | 'unprepared';
  readonly executionId: string;
}

/** See the glossary: a start that is prepared, or about to be, while nobody waits for it. */
export interface Seat {
  readonly id: string;
  /** Its files are there and the supervisor was told. */
  isMade: boolean;
  /** An execution counts on it. */
  isReserved: boolean;
}

const EVENT_KINDS = new Map<string, SlotEvent['kind']>([
  ['e', 'ended'],
  ['r', 'refused'],
  ['u', 'unprepared'],
]);

const LAST_WORDS_MS = 1_000;

/** One warm shell in a session of its own: what it was given, and the lines to and from it. */
export class SlotSupervisor {
  /** The execution it was told to start and has not finished; null when it is free. */
  busyWith: string | null = null;
  seat: Seat | null = null;
  private readonly child: ChildProcess;
  private partialLine = '';

  constructor(private readonly options: SlotSupervisorOptions) {
    const log = openSync(join(options.stateDir, 'supervisors.log'), 'a', 0o600);
    const child = spawn(options.shellPath, [options.scriptPath, options.readyDir, options.cgroupRoot], {
      detached: true,
      stdio: ['pipe', 'pipe', log],
      cwd: options.attemptsDir,
      env: {},
    });
    closeSync(log);
    this.child = child;
    child.stdout?.setEncoding('latin1').on('data', (text: string) => this.hear(text));
    child.stdout?.on('error', () => undefined);
    // A write to a supervisor that just died fails here; its exit is what counts.
    child.stdin?.on('error', () => undefined);
    child.once('error', (error) => options.died(this, { error: error.message }));
    // `close` and not `exit`: event lines written before the death are heard first. But a child that stands still holds its
    // end of the pipe, so after a moment the rest is given up: lines are hints.
    child.once('close', (code, signal) => options.died(this, { code, signal }));
    child.once('exit', () => {
      const timer = setTimeout(() => child.stdout?.destroy(), LAST_WORDS_MS);
      child.once('close', () => clearTimeout(timer));
    });
  }

  /** It is there, as far as anybody has heard; one that is not will be told of as `died` in a moment. */
  get isUp(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Lines sent together are read one by one, in order, also while it is busy. */
  say(...lines: readonly string[]): void {
    this.child.stdin?.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** Nobody listens any more. Resolves when an idle one has ended; a busy one finishes its job without being waited for. */
  letGo(patienceMs: number): Promise<void> {
    const { child } = this;
    const gone = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      child.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    child.stdin?.end();
    child.stdout?.destroy();
    child.unref();
    return this.busyWith === null && this.isUp ? gone : Promise.resolve();
  }

  private hear(text: string): void {
    const lines = (this.partialLine + text).split('\n');
    this.partialLine = lines.pop() ?? '';
    for (const line of lines) {
      const [letter = '', first, second] = line.split(' ');
      const kind = EVENT_KINDS.get(letter);
      const executionId = kind === 'ended' ? second : first;
      if (kind !== undefined && executionId !== undefined) this.options.heard(this, { kind, executionId });
    }
  }
}

/** Puts a program where it can be started. By rename, because a shell that still runs the old text reads on in its file. */
export async function installScript(folder: string, name: string, text: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  const fresh = `${path}.${process.pid}`;
  await writeFile(fresh, text, { mode: 0o700 });
  await rename(fresh, path);
  return path;
}
