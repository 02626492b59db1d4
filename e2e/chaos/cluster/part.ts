import { ManagedProcess, type Exit, type ProgramOptions } from '../../src/managed-process.js';

/** How an agent ends that finds no room at its start: with the code that has a service manager start it again. */
const NO_ROOM = 'free some space and start it again.';
const RESTART_MS = 500;

/**
 * One program of ours under chaos. It may end only when a fault ends it: an end of its own is a finding, told to
 * `onDeath` once.
 */
export class Part {
  private readonly process: ManagedProcess;
  private mayEnd = false;

  constructor(
    readonly options: ProgramOptions,
    private readonly onDeath: (sentence: string) => void,
  ) {
    this.process = new ManagedProcess(options);
  }

  get name(): string {
    return this.options.name;
  }

  get isRunning(): boolean {
    return this.process.isRunning;
  }

  get pid(): number {
    return this.process.pid;
  }

  /** @param mayEnd it was told to end by itself (a crash point), so that is no finding */
  start(env: Readonly<Record<string, string>> = {}, mayEnd = false): void {
    this.mayEnd = mayEnd;
    this.process.start(env);
    const { pid } = this.process;
    void this.process.exit().then(({ code, signal }) => {
      if (this.mayEnd) return;
      if (code === 1 && this.process.output().trimEnd().endsWith(NO_ROOM)) setTimeout(() => this.startAgain(), RESTART_MS);
      else this.onDeath(`${this.name} (pid ${pid}) ended by itself: code ${code}, signal ${signal}`);
    });
  }

  /** What a service manager does with that code. */
  private startAgain(): void {
    if (!this.mayEnd && !this.isRunning) this.start();
  }

  /** Ends it and waits until it is gone; also when it is stopped. Null when it did not run. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<Exit | null> {
    this.mayEnd = true;
    return this.process.kill(signal);
  }

  async signal(signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    await this.process.kill(signal);
  }

  /** Resolves when it has ended, for whatever reason. */
  async ended(): Promise<void> {
    await this.process.exit();
  }
}
