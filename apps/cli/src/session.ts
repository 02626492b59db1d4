import type { Muster } from '@muster/client';
import { loadTarget, type CommonOptions, type Environment, type Target } from './config.js';
import { abortOnSignals } from './interrupt.js';
import { Output, wantsColour } from './output.js';
import { CLI_VERSION } from './version.js';

/** One invocation of the CLI: where it writes, where it goes, and what interrupts it. */
export class Session {
  readonly output: Output;
  private readonly abort = new AbortController();
  private chosen: Target | undefined;
  private client: Promise<Muster> | undefined;
  private givenSignal: AbortSignal | undefined;
  private stopListening: (() => void) | undefined;

  constructor(
    readonly options: CommonOptions,
    readonly environment: Environment,
    /** The words after the program's name, as typed. */
    readonly words: readonly string[],
  ) {
    const { noColor, forceColor, term } = environment;
    const isRefused = options.color === false;
    const colour = (stream: { readonly isTTY?: boolean }): boolean =>
      wantsColour({ isTerminal: stream.isTTY === true, isRefused, noColor, forceColor, term });
    this.output = new Output({
      stdout: process.stdout,
      stderr: process.stderr,
      stdoutColour: colour(process.stdout),
      stderrColour: colour(process.stderr),
      isJson: options.json === true,
      program: environment.program,
    });
  }

  /** Where this command goes; decided at the first use, so that commands which go nowhere need no context. */
  get target(): Target {
    this.chosen ??= loadTarget(this.options, this.environment);
    return this.chosen;
  }

  /** The control plane; loaded at the first use, because plain commands start faster without it. */
  muster(): Promise<Muster> {
    this.client ??= this.connect();
    return this.client;
  }

  /** For `up`, which makes the control plane it talks to and owns the signals: both replace what was decided before. */
  redirect(target: Target, signal: AbortSignal): void {
    this.chosen = target;
    this.givenSignal = signal;
    this.client = undefined;
  }

  /** Aborted by Ctrl-C; listening begins with the first use. Before it, Ctrl-C ends the process as it ends any other. */
  get signal(): AbortSignal {
    if (this.givenSignal !== undefined) return this.givenSignal;
    this.stopListening ??= abortOnSignals(this.abort);
    return this.abort.signal;
  }

  /** Where `@last` is kept, and what it belongs to. */
  get stateFolder(): string {
    return this.environment.stateFolder;
  }

  close(): void {
    this.stopListening?.();
  }

  private async connect(): Promise<Muster> {
    const { Muster } = await import('@muster/client');
    const { url, key } = this.target;
    return new Muster({ url, key, userAgent: `muster-cli/${CLI_VERSION}` });
  }
}
